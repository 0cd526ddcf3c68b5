/** Buckets a factor of two, and how many factors of two from 1 µs. */
const PER_OCTAVE = 8;
const OCTAVES = 28;

/** Counts for the progress display: a few additions a request, no sorting. Results never come from here. */
export class Live {
  issued = 0;
  completed = 0;
  errors = 0;
  private readonly buckets = new Uint32Array(PER_OCTAVE * OCTAVES);

  add(ok: boolean, latencyNs: number): void {
    this.completed++;
    if (!ok) {
      this.errors++;
      return;
    }
    const bucket = Math.floor(Math.log2(Math.max(1, latencyNs / 1000)) * PER_OCTAVE);
    this.buckets[Math.min(bucket, this.buckets.length - 1)]!++;
  }

  /** The 99th percentile of ok latencies within 9 %; null before the first. */
  p99Ns(): number | null {
    const total = this.completed - this.errors;
    if (total === 0) return null;
    let left = Math.floor(total * 0.99);
    for (let bucket = 0; bucket < this.buckets.length; bucket++) {
      left -= this.buckets[bucket]!;
      if (left < 0) return 1000 * 2 ** ((bucket + 0.5) / PER_OCTAVE);
    }
    return null;
  }
}
