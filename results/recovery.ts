import type { Span } from './readings.js';
import type { RecordTable } from './record.js';
import { OUTCOMES } from './record.js';

/** So long nothing may miss the bound before it counts as kept again. */
const CALM_NS = 1e9;

const OK = OUTCOMES.indexOf('ok');

/**
 * The longest time in which a bound was missed, by due times: from a request that took longer or was not answered to the last one
 * behind which every request due within a second kept it. Undefined where all did; `toNs` null where it was still missed at the end.
 */
export function longestMiss(
  records: RecordTable,
  boundNs: number,
): { readonly fromNs: number; readonly toNs: number | null } | undefined {
  const rows = Array.from({ length: records.length }, (_, row) => row)
    .filter((row) => records.warmUp[row] === 0)
    .sort((a, b) => records.dueNs[a]! - records.dueNs[b]!);
  const last = records.dueNs[rows.at(-1) ?? 0] ?? 0;
  let longest: Span | undefined;
  let open: { fromNs: number; toNs: number } | undefined;
  for (const row of rows) {
    if (records.outcome[row] === OK && records.completedNs[row]! - records.dueNs[row]! <= boundNs) continue;
    const due = records.dueNs[row]!;
    if (open && due - open.toNs <= CALM_NS) open.toNs = due;
    else open = { fromNs: due, toNs: due };
    if (!longest || open.toNs - open.fromNs >= longest.toNs - longest.fromNs) longest = open;
  }
  return longest && { fromNs: longest.fromNs, toNs: last - longest.toNs <= CALM_NS ? null : longest.toNs };
}
