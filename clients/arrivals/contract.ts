import type { z } from 'zod';

/** When requests are due. Pure: the same seed gives the same instants on every machine. */
export interface ArrivalDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  /**
   * A function that gives the next gap in ns (≥ 0) at each call; the first request is due at 0. `ratePerSecond` is the
   * mean rate (of a whole period, where the rate varies); `seed` is a 64-bit integer.
   */
  create(options: z.output<Options>, ratePerSecond: number, seed: bigint): () => number;
}

export function defineArrival<Options extends z.ZodType>(
  definition: ArrivalDefinition<Options>,
): ArrivalDefinition<Options> {
  return definition;
}
