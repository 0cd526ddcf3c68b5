import { answered } from './answered.js';
import type { MlperfTrial } from './settings.js';

/**
 * `mlperf_log_accuracy.json`: an entry a sample that was answered. `predictions[i]` is what was predicted for sample i (NaN:
 * nothing); `data` is the hex of its four bytes as a little-endian float32, as MLCommons' image classification reads it.
 */
export function accuracyLog({ records }: MlperfTrial, predictions: ArrayLike<number>): string {
  const entries: string[] = [];
  for (const { row, sequence } of answered(records)) {
    const sample = records.sampleIndex[row]!;
    const prediction = predictions[sample] ?? Number.NaN;
    if (Number.isNaN(prediction)) continue;
    entries.push(`{ "seq_id" : ${sequence}, "qsl_idx" : ${sample}, "data" : "${hex(prediction)}" }`);
  }
  return `[\n${entries.join(',\n')}\n]\n`;
}

function hex(prediction: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(prediction);
  return bytes.toString('hex').toUpperCase();
}
