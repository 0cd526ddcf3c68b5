/** Where a boundary lies on a logarithmic scale, given noisy answers "it is above" and "it is below". */
export interface Bisection {
  /** The posterior's quantile: its median is the best place to ask. */
  quantile(share: number): number;
  /** Equal-tailed credible interval. */
  interval(level: number): { readonly low: number; readonly high: number };
  /** An answer from `at`, right with at least probability `reliability`. */
  tell(at: number, boundary: 'above' | 'below', reliability: number): void;
}

const CELLS = 2048;

/**
 * Probabilistic bisection between two positive numbers: a uniform prior over the logarithm; each answer multiplies one side
 * of the place it came from by its reliability and the other by the rest. A wrong answer is thereby outvoted instead of
 * sending the search astray for good. Sources: Horstein 1963; Waeber, Frazier, Henderson 2013, "Bisection search with noisy
 * responses".
 */
export function bisection(low: number, high: number): Bisection {
  const density = new Float64Array(CELLS).fill(1 / CELLS);
  const width = Math.log(high / low) / CELLS;
  const placeOf = (cells: number) => low * Math.exp(cells * width);
  const quantile = (share: number): number => {
    let sum = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      if (density[cell]! > 0 && sum + density[cell]! >= share) return placeOf(cell + (share - sum) / density[cell]!);
      sum += density[cell]!;
    }
    return high;
  };
  return {
    quantile,
    interval: (level) => ({ low: quantile((1 - level) / 2), high: quantile((1 + level) / 2) }),
    tell(at, boundary, reliability) {
      const border = Math.log(at / low) / width;
      const weight = (above: boolean) => (above === (boundary === 'above') ? reliability : 1 - reliability);
      let sum = 0;
      for (let cell = 0; cell < CELLS; cell++) {
        // The cell that holds the place belongs to both sides, as far as it lies there.
        const share = Math.min(1, Math.max(0, cell + 1 - border));
        density[cell]! *= share * weight(true) + (1 - share) * weight(false);
        sum += density[cell]!;
      }
      for (let cell = 0; cell < CELLS; cell++) density[cell]! /= sum;
    },
  };
}
