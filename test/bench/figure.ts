/** One benchmark figure: the median of its rounds, and how far they lie apart. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface BenchOptions {
  /** Measured rounds of everything; a first one that only warms up comes on top. */
  readonly rounds: number;
}

export interface Bench {
  run(options: BenchOptions): Promise<readonly Figure[]>;
}

export function figureOf(name: string, unit: string, values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  return { name, unit, median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]!, max: sorted.at(-1)! };
}

/** So many calls of `measure`, after one that does not count. */
export function repeat(rounds: number, measure: () => number): number[] {
  measure();
  return Array.from({ length: rounds }, measure);
}
