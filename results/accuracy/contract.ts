import type { Interval } from '../summary.js';

/** One output of an answer, one row: numbers, or texts where the protocol says BYTES. */
export interface AnswerPart {
  readonly name: string;
  readonly numbers?: ArrayLike<number> | undefined;
  readonly texts?: readonly string[] | undefined;
  /** Whole numbers by type: they name classes, where floats are scores. */
  readonly isWhole: boolean;
}

/** The right answer: a class, a text, or numbers (a value, a reference's output). */
export type Truth = number | string | ArrayLike<number>;

export interface Accuracy {
  readonly value: number;
  readonly interval: Interval;
  /** How many were right, where that can be counted. */
  readonly correct: number | null;
}

/** How answers are judged, and what all judgements come to. One file, one line in the registry. */
export interface AccuracyMetric {
  readonly name: string;
  readonly summary: string;
  /** `share`: a judgement is 0 or 1 and is kept as right or wrong; `number`: it is kept as it is. */
  readonly kind: 'share' | 'number';
  /** Absent: higher. */
  readonly lowerIsBetter?: boolean;
  /** What it needs to know of a sample. `outputs`: the numbers that a reference answered. */
  readonly needs: 'class' | 'text' | 'outputs';
  /** NaN where the answer or the truth is of another kind. */
  judge(answer: readonly AnswerPart[], truth: Truth): number;
  /** Of at least one judgement, none of them NaN. */
  total(judgements: Float64Array, seed: bigint): Accuracy;
}
