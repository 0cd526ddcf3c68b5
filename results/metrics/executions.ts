import type { Window } from './contract.js';

/**
 * Executions by size that answered the window's ok requests, ascending: each execution id counts once, so a batch of 16
 * is one batch and not sixteen. Empty where the server does not tell which execution answered.
 */
export function executionsBySize({
  records,
  rows,
}: Pick<Window, 'records' | 'rows'>): { readonly size: number; readonly count: number }[] {
  const sizeOf = new Map<number, number>();
  for (const row of rows) {
    const id = records.executionId[row]!;
    // 0: answered without an execution (a cache), or not told.
    if (id !== 0) sizeOf.set(id, records.batchSize[row]!);
  }
  const counts = new Map<number, number>();
  for (const size of sizeOf.values()) counts.set(size, (counts.get(size) ?? 0) + 1);
  return [...counts].map(([size, count]) => ({ size, count })).sort((a, b) => a.size - b.size);
}

/** How long the executions that answered the window's ok requests took, each counted once; null where none is told. */
export function busyTime({ records, rows }: Pick<Window, 'records' | 'rows'>): number | null {
  const durations = new Map<number, number>();
  for (const row of rows) {
    const id = records.executionId[row]!;
    if (id !== 0) durations.set(id, records.computeInferNs[row]!);
  }
  if (durations.size === 0) return null;
  let sum = 0;
  for (const each of durations.values()) sum += each;
  return Number.isFinite(sum) ? sum : null;
}
