/** Is `a` in no figure worse than `b` and in one better? Higher is better in all of them. */
export function betters(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, k) => value >= b[k]!) && a.some((value, k) => value > b[k]!);
}
