import type { LoadPlan } from './contract.js';

/** In flight at most, where nobody asks for less: a bound for memory and sockets, not a policy. */
export const OUTSTANDING_CAP = 10_000;

/** A plan of single-sample queries, numbered as they are due. */
export function openPlan(
  arrivals: string,
  dueNs: Float64Array,
  sampleIndex: Uint32Array,
  cap = OUTSTANDING_CAP,
): Extract<LoadPlan, { mode: 'open' }> {
  const query = Uint32Array.from(dueNs, (_, i) => i);
  return { mode: 'open', dueNs, sampleIndex, query, cap, latenessExpected: false, arrivals };
}
