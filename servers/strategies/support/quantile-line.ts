import type { Nanos } from '../contract.js';

export interface Sample {
  readonly rows: number;
  readonly latency: Nanos;
}

export interface QuantileQuestion {
  /** The latency to be met, ns. */
  readonly slo: Nanos;
  /** Which quantile, in whole per cent. */
  readonly percent: number;
  /** The answer where the line does not rise. */
  readonly maxBatchSize: number;
}

/** Samples that are equal count as one with a weight. */
interface Point extends Sample {
  weight: number;
}

interface Candidate {
  /** Pinball loss × dx: an integer, as a bigint where it is too large to be an exact number. */
  readonly loss: number | bigint;
  readonly dx: number;
  readonly cap: number;
}

/**
 * The batch at which the quantile line through the samples reaches the objective: of the lines through two samples of
 * different size, the one of least pinball loss, and of several the one of least cap. It may be below 1. Undefined where
 * all samples have one size. Everything is exact integer arithmetic; samples are whole numbers.
 */
export function quantileCap(samples: readonly Sample[], question: QuantileQuestion): number | undefined {
  const points = distinct(samples);
  let best: Candidate | undefined;
  for (const from of points)
    for (const to of points) {
      if (from.rows >= to.rows) continue;
      const candidate = lineThrough(from, to, points, question);
      if (best === undefined || isBetter(candidate, best)) best = candidate;
    }
  return best?.cap;
}

function distinct(samples: readonly Sample[]): Point[] {
  const points: Point[] = [];
  for (const { rows, latency } of samples) {
    const known = points.find((point) => point.rows === rows && point.latency === latency);
    if (known === undefined) points.push({ rows, latency, weight: 1 });
    else known.weight++;
  }
  return points;
}

function lineThrough(from: Point, to: Point, points: readonly Point[], question: QuantileQuestion): Candidate {
  const dx = to.rows - from.rows;
  const dy = to.latency - from.latency;
  const loss = exactOr(lossInDoubles(from, dx, dy, points, question.percent), () =>
    lossInBigInts(from, dx, dy, points, question.percent),
  );
  const cap = dy <= 0 ? question.maxBatchSize : from.rows + divideDown(question.slo - from.latency, dx, dy);
  return { loss, dx, cap };
}

/** Sum of percent × r above the line, (100 − percent) × −r below it, r = vertical distance × dx. All terms are ≥ 0. */
function lossInDoubles({ rows, latency }: Sample, dx: number, dy: number, points: readonly Point[], q: number): number {
  let loss = 0;
  let largest = 0;
  for (const point of points) {
    const rise = (point.latency - latency) * dx;
    const line = dy * (point.rows - rows);
    const r = rise - line;
    loss += (r >= 0 ? q * r : (100 - q) * -r) * point.weight;
    largest = Math.max(largest, Math.abs(rise), Math.abs(line));
  }
  return largest <= Number.MAX_SAFE_INTEGER ? loss : Number.POSITIVE_INFINITY;
}

function lossInBigInts({ rows, latency }: Sample, dx: number, dy: number, points: readonly Point[], q: number): bigint {
  let loss = 0n;
  for (const point of points) {
    const r = BigInt(point.latency - latency) * BigInt(dx) - BigInt(dy) * BigInt(point.rows - rows);
    loss += (r >= 0n ? BigInt(q) * r : BigInt(100 - q) * -r) * BigInt(point.weight);
  }
  return loss;
}

/** Sums and products of integers are exact as doubles as long as the result is a safe integer. */
function exactOr(value: number, exact: () => bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? value : exact();
}

function isBetter(one: Candidate, other: Candidate): boolean {
  const order = compareFractions(one, other);
  return order < 0 || (order === 0 && one.cap < other.cap);
}

/** Sign of a.loss / a.dx − b.loss / b.dx. Doubles decide where they are exact, or apart by more than their error. */
function compareFractions(a: Candidate, b: Candidate): number {
  const left = Number(a.loss) * b.dx;
  const right = Number(b.loss) * a.dx;
  if (left + right <= Number.MAX_SAFE_INTEGER || Math.abs(left - right) > 1e-14 * (left + right)) return left - right;
  const exact = BigInt(a.loss) * BigInt(b.dx) - BigInt(b.loss) * BigInt(a.dx);
  return exact < 0n ? -1 : exact > 0n ? 1 : 0;
}

/** floor(a × b / c), toward −∞; c > 0. */
function divideDown(a: number, b: number, c: number): number {
  if (Math.abs(a * b) < Number.MAX_SAFE_INTEGER) return Math.floor((a * b) / c);
  const product = BigInt(a) * BigInt(b);
  const divisor = BigInt(c);
  const quotient = product / divisor;
  return Number(product < 0n && product % divisor !== 0n ? quotient - 1n : quotient);
}
