import type { z } from 'zod';
import type { RandomSource } from '../../results/stats/index.js';

export type DimensionValue = string | number | boolean;

/** One thing that can be chosen. */
export interface Dimension {
  readonly name: string;
  /** At least one; of an ordered dimension ascending. */
  readonly values: readonly DimensionValue[];
  /** Neighbours in the list are alike (sizes, counts, delays). False: a set of names. */
  readonly ordered: boolean;
}

/** A configuration: for each dimension the number of its value. */
export type Point = readonly number[];

/** Everything that can be chosen. */
export interface Space {
  readonly dimensions: readonly Dimension[];
}

/** What was found at a point. */
export type Evaluation =
  | {
      readonly state: 'measured';
      /** To be made large; single-objective searches look at the first. */
      readonly objectives: readonly number[];
      /** How far each constraint is broken, relative to its bound: 0 or less is kept. The same length at every point. */
      readonly excess: readonly number[];
    }
  | { readonly state: 'failed'; readonly reason: string };

/** The merit (`slopedMerit`) of another model at every point of the same space, by point number (`space.ts`). */
export interface ResponseTable {
  readonly name: string;
  readonly values: Float64Array;
}

/** What a search is made from besides its options. */
export interface SearchContext {
  readonly space: Space;
  readonly random: RandomSource;
  /** Points that it may ask for at most. */
  readonly budget: number;
  /** Tables of other models, for searches that transfer. */
  readonly priors: readonly ResponseTable[];
  /** What a profile says of a point before anything is measured: the first objective in any unit, larger is better. */
  readonly estimate?: ((point: Point) => number) | undefined;
}

/** Yields a point and is handed what was found there. A point that was found before costs nothing and is answered at once. */
export type Search = Generator<Point, void, Evaluation>;

/** An algorithm. One file, one line in the registry. */
export interface SearchDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  /** Where the algorithm comes from, and where ours differs. */
  readonly source: string;
  readonly options: Options;
  /** It looks at all objectives, not only the first. */
  readonly multiObjective?: boolean;
  /** It needs other models' tables. */
  readonly needsPriors?: boolean;
  create(options: z.output<Options>, context: SearchContext): Search;
}

/** Fixes the type of the options without writing it twice. */
export function defineSearch<Options extends z.ZodType>(
  definition: SearchDefinition<Options>,
): SearchDefinition<Options> {
  return definition;
}
