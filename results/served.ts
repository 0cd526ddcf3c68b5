import type { ServerCounters } from './facts.js';
import { UNKNOWN } from './record.js';
import { ascending, distribution } from './stats/percentile.js';
import type { ServedSummary } from './summary.js';
import type { MeasuredWindow } from './window.js';

const TENTHS = 10;

/**
 * What became of the requests of a server with several models behind one: were they answered from memory or after a load, by
 * which variant, and how right. Undefined where the server tells neither.
 */
export function servedSummary(
  { records, rows }: MeasuredWindow,
  durationNs: number,
  before: ServerCounters | undefined,
  after: ServerCounters | undefined,
): ServedSummary | undefined {
  const cold = rows.filter((row) => !Number.isNaN(records.loadNs[row]!));
  const numbers = [...new Set(Array.from(rows, (row) => records.variant[row]!))]
    .filter((number) => number > 0)
    .sort(byNumber);
  if (cold.length === 0 && numbers.length === 0 && after?.servemark_loads === undefined) return undefined;
  const tenthOf = (row: number) =>
    Math.max(0, Math.min(TENTHS - 1, Math.floor((records.dueNs[row]! / durationNs) * TENTHS)));
  const perTenth = new Array<number>(TENTHS).fill(0);
  for (const row of rows) perTenth[tenthOf(row)]!++;
  const variants = numbers.map((variant) => {
    const own = rows.filter((row) => records.variant[row] === variant);
    const judged = own.filter((row) => records.correct[row] !== UNKNOWN);
    const shares = new Array<number>(TENTHS).fill(0);
    for (const row of own) shares[tenthOf(row)]! += 1 / perTenth[tenthOf(row)]!;
    const latency = ascending(Float64Array.from(own, (row) => records.completedNs[row]! - records.dueNs[row]!));
    return {
      variant,
      requests: own.length,
      judged: judged.length,
      right: judged.filter((row) => records.correct[row] === 1).length,
      shares,
      p50Ns: latency[Math.floor(latency.length / 2)] ?? null,
    };
  });
  return {
    warm: rows.length - cold.length,
    cold: cold.length,
    loadNs: distribution(ascending(Float64Array.from(cold, (row) => records.loadNs[row]!))),
    loads: loadsBetween(before, after),
    variants,
    regret: regretOf(variants),
  };
}

function loadsBetween(before: ServerCounters | undefined, after: ServerCounters | undefined): ServedSummary['loads'] {
  if (after?.servemark_loads === undefined) return null;
  const count = after.servemark_loads.count - (before?.servemark_loads?.count ?? 0);
  const ns = after.servemark_loads.ns - (before?.servemark_loads?.ns ?? 0);
  return { count, meanNs: count > 0 ? ns / count : null };
}

function regretOf(variants: readonly Pick<ServedSummary['variants'][number], 'judged' | 'right'>[]): number | null {
  const judged = variants.reduce((sum, each) => sum + each.judged, 0);
  if (judged === 0) return null;
  const right = variants.reduce((sum, each) => sum + each.right, 0);
  const best = Math.max(...variants.filter((each) => each.judged > 0).map((each) => each.right / each.judged));
  return best * judged - right;
}

function byNumber(a: number, b: number): number {
  return a - b;
}
