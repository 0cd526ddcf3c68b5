import type { RecentLatency } from './job.js';

/** Buckets a factor of two, and how many factors of two from 1 µs. */
const PER_OCTAVE = 8;
const OCTAVES = 28;

/** Counts for the progress display: a few additions a request, no sorting. Results never come from here. */
export class Live {
  issued = 0;
  completed = 0;
  errors = 0;
  /** Set before the first completion: what is counted in `bound`. */
  boundNs: number | undefined;
  readonly bound = { over: 0, sumMs: 0, squaresMs: 0 };
  private readonly buckets = new Uint32Array(PER_OCTAVE * OCTAVES);

  add(ok: boolean, latencyNs: number): void {
    this.completed++;
    if (this.boundNs !== undefined) this.addToBound(ok, latencyNs / 1e6, this.boundNs / 1e6);
    if (!ok) {
      this.errors++;
      return;
    }
    const bucket = Math.floor(Math.log2(Math.max(1, latencyNs / 1000)) * PER_OCTAVE);
    this.buckets[Math.min(bucket, this.buckets.length - 1)]!++;
  }

  /** What was not answered was over any bound. */
  private addToBound(ok: boolean, latencyMs: number, boundMs: number): void {
    if (!ok || latencyMs > boundMs) this.bound.over++;
    this.bound.sumMs += latencyMs;
    this.bound.squaresMs += latencyMs * latencyMs;
  }

  /** The 99th percentile of ok latencies within 9 %; null before the first. */
  p99Ns(): number | null {
    return quantileNs(this.buckets, 0.99);
  }

  /** The counts as they stand, to tell later what came since. */
  counts(): Uint32Array {
    return this.buckets.slice();
  }

  /** Percentiles of what came since `earlier`; undefined where nothing did. */
  since(earlier: Uint32Array): RecentLatency | undefined {
    const came = this.buckets.map((count, bucket) => count - earlier[bucket]!);
    const [p50Ns, p90Ns, p99Ns] = [0.5, 0.9, 0.99].map((q) => quantileNs(came, q));
    return p50Ns === null ? undefined : { p50Ns: p50Ns!, p90Ns: p90Ns!, p99Ns: p99Ns! };
  }
}

function quantileNs(buckets: Uint32Array, q: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  let left = Math.floor(total * q);
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    left -= buckets[bucket]!;
    if (left < 0) return 1000 * 2 ** ((bucket + 0.5) / PER_OCTAVE);
  }
  return null;
}
