/**
 * Mean wait in an M/G/1 queue, in the unit of `meanService`: Poisson arrivals, one server, first come first served. With
 * equal service times it is M/D/1. Infinity from full load on. Source: Pollaczek 1930, Khinchine 1932.
 */
export function mg1Wait(ratePerUnit: number, meanService: number, meanSquareService = meanService ** 2): number {
  const load = ratePerUnit * meanService;
  return load < 1 ? (ratePerUnit * meanSquareService) / (2 * (1 - load)) : Number.POSITIVE_INFINITY;
}

/**
 * The mean number present between `from` and `to`, given when each came and went (Infinity or NaN: not yet).
 */
export function meanPresent(came: ArrayLike<number>, went: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  for (let i = 0; i < came.length; i++) {
    // biome-ignore lint/complexity/useMathMinMax: of NaN, not yet gone, it would make NaN.
    const end = went[i]! < to ? went[i]! : to;
    // biome-ignore lint/complexity/useMathMinMax: as above
    const start = came[i]! > from ? came[i]! : from;
    if (end > start) sum += end - start;
  }
  return sum / (to - from);
}
