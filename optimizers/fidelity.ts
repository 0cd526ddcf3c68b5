import type { SampleLibrary } from '../clients/samples/index.js';
import { UserError } from '../results/errors.js';
import { wilson } from '../results/stats/index.js';
import type { OnnxModel } from './onnx/index.js';
import { firstOutputs } from './passes/support/activations.js';
import { dimsOfValue } from './passes/support/values.js';

/** How much of a model's answers a variant keeps, on the same samples. Its first output, FP32, row by row. */
export interface Fidelity {
  readonly samples: string;
  readonly count: number;
  /** Mean cosine of the rows' outputs with the reference's. */
  readonly cosine: number;
  readonly largestDifference: number;
  /** Share of rows whose largest output stands in the same place. */
  readonly agreement: number;
  /** Of the agreement, 95 %, Wilson. */
  readonly agreementInterval: { readonly low: number; readonly high: number };
  /** Share of rows whose largest output is the label's, with its 95 % Wilson interval; null where samples have no labels. */
  readonly topOne: Share | null;
  readonly referenceTopOne: Share | null;
}

export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** False where the models say that their answers have other widths, as a probe's classes and an embedding; what is open may fit. */
export function areComparable(reference: OnnxModel, variant: OnnxModel): boolean {
  const [a, b] = [dimsOfValue(reference.graph.output[0]!), dimsOfValue(variant.graph.output[0]!)];
  if (a === undefined || b === undefined) return true;
  const widths = [a, b].map((dims) => dims.at(-1)).filter((width) => typeof width === 'number');
  return a.length === b.length && new Set(widths).size < 2;
}

/** Runs both on the library's first `count` samples. Blocks this thread. Throws UserError where their answers are of other widths. */
export async function fidelityOf(
  reference: OnnxModel,
  variant: OnnxModel,
  samples: SampleLibrary,
  count: number,
): Promise<Fidelity> {
  const [wanted, found] = [await firstOutputs(reference, samples, count), await firstOutputs(variant, samples, count)];
  const { rows, width } = wanted;
  if (found.width !== width)
    throw new UserError({
      place: `variant ${variant.graph.name}`,
      found: `it answers ${found.width} numbers a row, its parent ${width}: they can't be compared`,
      remedy: 'Judge it by labels, in a scenario with accuracy: { metric: top-1 }; no gate and --check 0 here',
    });
  let [cosine, agreeing, right, referenceRight, largestDifference] = [0, 0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const [a, b] = [rowOf(wanted.values, row, width), rowOf(found.values, row, width)];
    cosine += cosineOf(a, b);
    for (let i = 0; i < width; i++) largestDifference = Math.max(largestDifference, Math.abs(a[i]! - b[i]!));
    const [best, other] = [largestPlace(a), largestPlace(b)];
    agreeing += Number(best === other);
    const label = samples.label?.(row);
    right += Number(other === label);
    referenceRight += Number(best === label);
  }
  const labelled = samples.label !== undefined;
  return {
    samples: samples.name,
    count: rows,
    cosine: cosine / rows,
    largestDifference,
    agreement: agreeing / rows,
    agreementInterval: intervalOf(agreeing, rows),
    topOne: labelled ? share(right, rows) : null,
    referenceTopOne: labelled ? share(referenceRight, rows) : null,
  };
}

function share(count: number, total: number): Share {
  return { value: count / total, ...intervalOf(count, total) };
}

function intervalOf(count: number, total: number): { low: number; high: number } {
  const { low, high } = wilson(count, total);
  return { low, high };
}

function rowOf(values: Float32Array, row: number, width: number): Float32Array {
  return values.subarray(row * width, (row + 1) * width);
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return aa === 0 && bb === 0 ? 1 : ab / Math.sqrt(aa * bb || 1);
}

function largestPlace(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
