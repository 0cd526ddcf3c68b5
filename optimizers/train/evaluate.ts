import { createRuntime } from '../../servers/runtimes/index.js';
import type { LabelledImages } from './fashion-mnist.js';

/**
 * How many images the model at `path` classifies rightly, through the runtime that serves it. Its input is FP32
 * [N, pixels] with pixels / 255, its first output FP32 [N, classes]; the largest logit is the answer.
 */
export async function topOne(path: string, test: LabelledImages): Promise<{ correct: number; total: number }> {
  const runtime = await createRuntime('onnx', path, {});
  const pixels = test.pixels.length / test.count;
  let correct = 0;
  for (let from = 0; from < test.count; from += BATCH) {
    const rows = Math.min(BATCH, test.count - from);
    const x = Float32Array.from(test.pixels.subarray(from * pixels, (from + rows) * pixels), (pixel) => pixel / 255);
    const input = { name: 'x', datatype: 'FP32', shape: [rows, pixels], buffer: x.buffer } as const;
    const [logits] = await runtime.execute([input], rows);
    correct += countRight(new Float32Array(logits!.buffer), test.labels.subarray(from, from + rows));
  }
  await runtime.close();
  return { correct, total: test.count };
}

const BATCH = 100;

function countRight(logits: Float32Array, labels: Uint8Array): number {
  const classes = logits.length / labels.length;
  return labels.reduce((sum, label, row) => {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    return sum + Number(values.indexOf(values.reduce((a, b) => Math.max(a, b))) === label);
  }, 0);
}
