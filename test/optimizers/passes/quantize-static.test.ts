import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { apart, type SampleLibrary } from '../../../clients/samples/index.js';
import { fidelityOf } from '../../../optimizers/fidelity.js';
import { readModel, writeModel } from '../../../optimizers/onnx/index.js';
import { quantizeStatic } from '../../../optimizers/passes/quantize-static.js';
import { workFolder } from '../../e2e/folders.js';
import { fashionSamples } from '../../fixtures/fashion.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';
import { pythonWith } from '../../fixtures/python.js';

const folder = workFolder('quantize-static');
const script = fileURLToPath(new URL('../../fixtures/quantize_static.py', import.meta.url));
const python = pythonWith('onnx, onnxruntime.quantization', 'quantize-static beside Python’s onnxruntime.quantization');

const CALIBRATION = 200;

test.skipIf(!python).each(['min-max', 'entropy', 'percentile'] as const)(
  'by %s it is within 0.5 points and a twentieth of the bytes of onnxruntime.quantization, judged on images that calibrated neither',
  async (method) => {
    const model = readModel(FASHION_MLP);
    const { forPasses, others } = apart(await fashionSamples(), CALIBRATION);
    const [ours, theirs] = [join(folder, `${method}-ours.onnx`), join(folder, `${method}-theirs.onnx`)];
    const options = quantizeStatic.options.parse({ method, count: CALIBRATION, percentile: 99.999 });
    const { models } = await quantizeStatic.apply(model, options, { place: 'm', samples: async () => forPasses });
    writeModel(models[0]!.model, ours);
    const rows = join(folder, 'calibration.f32');
    writeFileSync(rows, new Uint8Array(valuesOf(forPasses).buffer));
    const run = spawnSync(python!, [script, FASHION_MLP, rows, '784', method, theirs], { encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
    const [a, b] = [
      await fidelityOf(model, readModel(ours), others, others.totalSampleCount),
      await fidelityOf(model, readModel(theirs), others, others.totalSampleCount),
    ];
    const [ourBytes, theirBytes] = [statSync(ours).size, statSync(theirs).size];
    console.log(
      `quantize-static ${method} beside onnxruntime.quantization: top-1 ${a.topOne!.value} and ${b.topOne!.value} of ${a.count} (FP32 ${a.referenceTopOne!.value}), ${ourBytes} and ${theirBytes} bytes`,
    );
    expect(Math.abs(a.topOne!.value - b.topOne!.value)).toBeLessThanOrEqual(0.005);
    expect(Math.abs(ourBytes / theirBytes - 1)).toBeLessThanOrEqual(0.05);
  },
  120_000,
);

function valuesOf({ inputs, totalSampleCount }: SampleLibrary): Float32Array {
  const values = new Float32Array(totalSampleCount * 784);
  for (let i = 0; i < totalSampleCount; i++)
    values.set(new Float32Array(new Uint8Array(inputs(i)[0]!.data).buffer), i * 784);
  return values;
}
