import { roundHalfEven } from './quantize.js';

export type Method = 'min-max' | 'percentile' | 'entropy';

/** The values from `low` to `high` that a tensor's integers will cover; both ends are finite and 0 lies between them. */
export interface ActivationRange {
  readonly low: number;
  readonly high: number;
}

const BINS = 2048;
const LEVELS = 128;

/**
 * Watches a tensor's values and answers the range worth quantising. A histogram of magnitudes that doubles its reach when a
 * larger value comes: one pass over the samples, in bounded memory.
 */
export class Calibrator {
  private readonly bins = new Float64Array(BINS);
  private reach = 0;
  private low = 0;
  private high = 0;
  private count = 0;

  add(values: Float32Array): void {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < this.low) this.low = value;
      if (value > this.high) this.high = value;
    }
    const largest = Math.max(-this.low, this.high);
    if (this.reach === 0) this.reach = largest;
    while (this.reach > 0 && this.reach < largest) this.double();
    if (this.reach === 0) return;
    const scale = BINS / this.reach;
    for (const value of values) {
      // 0 is told exactly by every range: it says nothing about which is better.
      if (!Number.isFinite(value) || value === 0) continue;
      this.bins[Math.min(BINS - 1, Math.floor(Math.abs(value) * scale))]! += 1;
      this.count++;
    }
  }

  /** `percentile` keeps that share (0…1) of the magnitudes. */
  range(method: Method, percentile: number): ActivationRange {
    const limit = method === 'min-max' ? Number.POSITIVE_INFINITY : this.threshold(method, percentile);
    return { low: Math.max(this.low, -limit), high: Math.min(this.high, limit) };
  }

  private threshold(method: Method, percentile: number): number {
    if (this.count === 0) return 0;
    const bin = method === 'percentile' ? percentileBin(this.bins, percentile * this.count) : entropyBin(this.bins);
    return (bin * this.reach) / BINS;
  }

  private double(): void {
    for (let i = 0; i < BINS / 2; i++) this.bins[i] = this.bins[2 * i]! + this.bins[2 * i + 1]!;
    this.bins.fill(0, BINS / 2);
    this.reach *= 2;
  }
}

/** uint8 scale and zero point of a range: real = (q − zero) · scale. Source: ONNX QuantizeLinear. */
export function asymmetric({ low, high }: ActivationRange): { scale: number; zero: number } {
  const scale = Math.fround(high > low ? (high - low) / 255 : 1);
  return { scale, zero: Math.min(255, Math.max(0, roundHalfEven(-low / scale))) };
}

function percentileBin(bins: Float64Array, wanted: number): number {
  let seen = 0;
  for (let i = 0; i < bins.length; i++) {
    seen += bins[i]!;
    if (seen >= wanted) return i + 1;
  }
  return bins.length;
}

/**
 * The number of bins whose clipped distribution loses least when it is told in 128 levels: the smallest Kullback–Leibler
 * divergence. Source: Migacz, *8-bit inference with TensorRT*.
 */
function entropyBin(bins: Float64Array): number {
  let best = { bin: bins.length, divergence: Number.POSITIVE_INFINITY };
  const beyond = new Float64Array(bins.length + 1);
  for (let i = bins.length - 1; i >= 0; i--) beyond[i] = beyond[i + 1]! + bins[i]!;
  for (let bin = LEVELS; bin <= bins.length; bin += 8) {
    const divergence = divergenceAt(bins, bin, beyond[bin]!);
    if (divergence < best.divergence) best = { bin, divergence };
  }
  return best.bin;
}

/** KL divergence of the first `size` bins, outliers added to the last, from the same told in 128 levels. */
function divergenceAt(bins: Float64Array, size: number, outliers: number): number {
  const total = bins.subarray(0, size).reduce((a, b) => a + b, 0) + outliers;
  if (total === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  const width = size / LEVELS;
  for (let level = 0; level < LEVELS; level++) {
    const [from, to] = [Math.floor(level * width), level === LEVELS - 1 ? size : Math.floor((level + 1) * width)];
    let [sum, filled] = [0, 0];
    for (let i = from; i < to; i++) {
      sum += bins[i]!;
      if (bins[i]! > 0) filled++;
    }
    for (let i = from; i < to; i++) {
      const p = (bins[i]! + (i === size - 1 ? outliers : 0)) / total;
      if (p === 0) continue;
      // Outliers alone in the last bin: no level tells of them.
      const q = bins[i]! > 0 ? sum / filled : 1e-4;
      divergence += p * Math.log((p * (total - outliers)) / q);
    }
  }
  return divergence;
}
