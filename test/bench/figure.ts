/** One benchmark figure: the median of its rounds with an interval around it. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  /** See medianInterval. */
  readonly low: number;
  readonly high: number;
  /** At most; the project's aim. */
  readonly target?: number | undefined;
  /** How many times another figure's, compared round by round. */
  readonly ratio?: { readonly to: string; readonly median: number; readonly low: number; readonly high: number };
}

export interface BenchOptions {
  /** Measured rounds of everything; a first one that only warms up comes on top. */
  readonly rounds: number;
}

export interface Bench {
  run(options: BenchOptions): Promise<readonly Figure[]>;
}

export interface FigureOptions {
  readonly target?: number | undefined;
  /** The rounds of what it is compared with. */
  readonly peer?: { readonly name: string; readonly values: readonly number[] } | undefined;
}

export function figureOf(name: string, unit: string, values: readonly number[], options: FigureOptions = {}): Figure {
  const { target, peer } = options;
  const figure = { name, unit, ...medianInterval(values), ...(target !== undefined && { target }) };
  if (!peer) return figure;
  const ratios = values.map((value, round) => value / peer.values[round]!);
  return { ...figure, ratio: { to: peer.name, ...medianInterval(ratios) } };
}

/**
 * Median and its interval by order statistics: the narrowest pair of them that holds the true median with at least 93 %,
 * whatever the distribution; of five rounds the smallest and the largest (93.75 %). Fewer rounds promise less.
 */
export function medianInterval(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let cut = 0;
  while (2 * (cut + 1) < n && coverage(n, cut + 1) >= 0.93) cut++;
  const middle = (sorted[Math.floor((n - 1) / 2)]! + sorted[Math.floor(n / 2)]!) / 2;
  return { median: middle, low: sorted[cut]!, high: sorted[n - 1 - cut]! };
}

/** P that the median lies between the (cut+1)th smallest and largest of n: 1 − 2·P[Binomial(n, ½) ≤ cut]. */
function coverage(n: number, cut: number): number {
  let term = 2 ** -n;
  let tail = term;
  for (let k = 1; k <= cut; k++) {
    term *= (n - k + 1) / k;
    tail += term;
  }
  return 1 - 2 * tail;
}

/** So many calls of `measure`, after one that does not count. */
export function repeat(rounds: number, measure: () => number): number[] {
  measure();
  return Array.from({ length: rounds }, measure);
}
