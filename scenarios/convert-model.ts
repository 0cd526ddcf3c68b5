import { convertTfjs } from '../optimizers/convert/index.js';
import { checkModel, writeModel } from '../optimizers/onnx/index.js';
import { UserError } from '../results/errors.js';
import { formatSize } from '../results/units.js';
import { EXIT } from './contract.js';

/** `servemark models convert model.json -o OUT.onnx`. Throws UserError with the part of the model that is not known. */
export function convertModel(path: string, out: string): number {
  if (!out.endsWith('.onnx'))
    throw new UserError({
      place: `-o ${out}`,
      found: 'it does not end in .onnx',
      allowed: 'the path of an .onnx file',
    });
  const model = convertTfjs(path);
  const problems = checkModel(model, path);
  if (problems.length > 0) throw new UserError(problems);
  const bytes = writeModel(model, out).reduce((sum, file) => sum + file.bytes, 0);
  process.stdout.write(`wrote ${out}: ${model.graph.node.length} nodes, ${formatSize(bytes)}\n`);
  return EXIT.done;
}
