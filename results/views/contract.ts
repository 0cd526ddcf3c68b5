import type { TopLevelSpec } from 'vega-lite';
import type { Readings } from '../readings.js';
import type { RecordTable } from '../record.js';
import type { StoredRun } from '../run.js';

/** Blocks a view is made of; formats render them as Markdown, HTML or terminal text. Text may use `code` and **bold** only. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'code'; readonly text: string }
  | {
      readonly kind: 'table';
      readonly caption?: string;
      readonly columns: readonly { readonly title: string; readonly align: 'left' | 'right' }[];
      readonly rows: readonly (readonly Cell[])[];
    }
  | { readonly kind: 'chart'; readonly name: string; readonly caption: string; readonly spec: TopLevelSpec };

/**
 * `mark` colours a cell; `trials` are the ids of the trials that its number came from; `short` stands for `text` where room is
 * scarce (terminals); `anchor` makes it the place that references to that trial lead to.
 */
export type Cell =
  | string
  | {
      readonly text: string;
      readonly short?: string | undefined;
      readonly mark?: 'good' | 'bad' | 'dim' | undefined;
      readonly trials?: readonly string[] | undefined;
      readonly anchor?: string | undefined;
    };

export interface ViewInput {
  readonly run: StoredRun;
  /** Reads a trial's records on demand; undefined where there are none (an old or broken folder). */
  records(trialId: string): RecordTable | undefined;
  /** What a trial's monitors read; undefined where none ran, and absent where nobody can tell. */
  readings?(trialId: string): Readings | undefined;
  /** Seed for intervals. */
  readonly seed: bigint;
}

/** One section of a report: reads a stored run, never live objects. */
export interface ViewDefinition {
  readonly name: string;
  readonly summary: string;
  /** Undefined where the run has nothing for it. */
  render(input: ViewInput): readonly Block[] | undefined;
}
