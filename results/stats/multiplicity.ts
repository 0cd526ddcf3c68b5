/** Share of false claims among all claims of a table that is tolerated. */
export const FALSE_DISCOVERY_RATE = 0.05;

/**
 * Benjamini–Hochberg: p-values adjusted for all that were looked at; those ≤ q are the discoveries at false discovery rate
 * q. Null stays null and counts as nothing looked at. Source: Benjamini and Hochberg 1995.
 */
export function benjaminiHochberg(pValues: readonly (number | null)[]): (number | null)[] {
  const order = pValues.flatMap((p, i) => (p === null ? [] : [i])).sort((i, j) => pValues[j]! - pValues[i]!);
  const adjusted = new Array<number | null>(pValues.length).fill(null);
  let least = 1;
  for (const [position, i] of order.entries()) {
    least = Math.min(least, pValues[i]! * (order.length / (order.length - position)));
    adjusted[i] = least;
  }
  return adjusted;
}
