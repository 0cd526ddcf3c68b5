import type { Nanos } from '../contract.js';

interface SizeStatistics {
  readonly size: number;
  count: number;
  /** Of the latencies: exact, as they are integers. */
  sum: number;
  /** Sum of squared deviations from the mean. */
  squares: number;
}

/** Latencies by batch size, and the straight line through them. Memory grows with the sizes seen, not with the samples. */
export class LatencyLine {
  /** Ascending. */
  readonly #sizes: SizeStatistics[] = [];

  add(size: number, latency: Nanos): void {
    const statistics = this.#of(size) ?? this.#insert(size);
    const before = statistics.count === 0 ? latency : meanOf(statistics);
    statistics.count++;
    statistics.sum += latency;
    // Welford: exact for constant latencies, stable for all.
    statistics.squares += (latency - before) * (latency - meanOf(statistics));
  }

  samplesOf(size: number): number {
    return this.#of(size)?.count ?? 0;
  }

  /**
   * The size at which mean latency + z × pooled deviation, fitted by least squares over the sizes (each once), reaches the
   * budget; it may be below 1. Undefined where there are fewer than two sizes or the line does not rise.
   */
  sizeWithin(budget: Nanos, z: number): number | undefined {
    const n = this.#sizes.length;
    if (n < 2) return undefined;
    const margin = z * this.#pooledDeviation();
    let sumX = 0;
    let sumY = 0;
    let sumXY = 0;
    let sumXX = 0;
    for (const statistics of this.#sizes) {
      const x = statistics.size;
      const y = meanOf(statistics) + margin;
      sumX += x;
      sumY += y;
      sumXY += x * y;
      sumXX += x * x;
    }
    const slope = (n * sumXY - sumX * sumY) / (n * sumXX - sumX * sumX);
    if (slope <= 0) return undefined;
    const intercept = (sumY - slope * sumX) / n;
    return Math.floor((budget - intercept) / slope);
  }

  /** Of all sizes together, each about its own mean; 0 where every size has one sample. */
  #pooledDeviation(): number {
    let squares = 0;
    let freedom = 0;
    for (const statistics of this.#sizes) {
      squares += statistics.squares;
      freedom += statistics.count - 1;
    }
    return freedom === 0 ? 0 : Math.sqrt(squares / freedom);
  }

  #of(size: number): SizeStatistics | undefined {
    return this.#sizes.find((statistics) => statistics.size === size);
  }

  #insert(size: number): SizeStatistics {
    const statistics = { size, count: 0, sum: 0, squares: 0 };
    const place = this.#sizes.findIndex((other) => other.size > size);
    this.#sizes.splice(place < 0 ? this.#sizes.length : place, 0, statistics);
    return statistics;
  }
}

function meanOf({ sum, count }: SizeStatistics): number {
  return sum / count;
}
