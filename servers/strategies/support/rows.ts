import type { StrategyRequest } from '../contract.js';

/** Rows of all of them together. */
export function rowsOf(requests: readonly StrategyRequest[]): number {
  let rows = 0;
  for (const request of requests) rows += request.rows;
  return rows;
}
