import type { z } from 'zod';

/** When requests are due. Pure: the same seed gives the same instants on every machine. */
export interface ArrivalDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  /** Options that are lengths of the profile's phases: they grow with a load that is made longer. */
  readonly phases?: readonly string[];
  /**
   * A function that gives the next gap in ns (≥ 0) at each call; the first request is due at 0. `ratePerSecond` is the
   * mean rate (of a whole period, where the rate varies); `seed` is a 64-bit integer.
   */
  create(options: z.output<Options>, ratePerSecond: number, seed: bigint): () => number;
  /**
   * All due times of a schedule that offers exactly the expected number of requests over exactly that time, ascending from
   * 0, whole ns. Absent: the gaps of `create` are scaled to it (support/exact.ts). `recorded`: nothing may be scaled.
   */
  readonly exact?:
    | ((options: z.output<Options>, ratePerSecond: number, durationNs: number, seed: bigint) => Float64Array)
    | 'recorded';
}

export function defineArrival<Options extends z.ZodType>(
  definition: ArrivalDefinition<Options>,
): ArrivalDefinition<Options> {
  return definition;
}
