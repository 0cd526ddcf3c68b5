import type { Figure } from './figures.js';
import { merge } from './figures.js';
import type { Group } from './groups.js';

/** Around a figure: the range over several repeats, or what a single trial says about its own uncertainty (block bootstrap, 95 %). */
export interface Band {
  readonly low: number;
  readonly high: number;
}

/** Undefined where neither is known. */
export function bandOf(group: Group, figure: Figure): Band | undefined {
  const merged = merge(group, figure);
  if (!merged) return undefined;
  if (merged.n > 1) return { low: merged.low, high: merged.high };
  const intervals = group.summaries.flatMap((summary) => figure.interval(summary) ?? []);
  return intervals[0] && { low: intervals[0].low, high: intervals[0].high };
}

/** What the bands of these groups are, for captions. */
export function bandText(groups: readonly Group[]): string {
  const several = groups.some((group) => group.summaries.length > 1);
  return several ? 'bands: range over the repeats' : 'bands: 95 % intervals within the one trial';
}
