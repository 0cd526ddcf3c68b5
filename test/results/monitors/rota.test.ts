import { describe, expect, test } from 'vitest';
import { Rota } from '../../../results/monitors/rota.js';

/** Readers that cost so much each, by name; the first is read first. */
function setting(costs: readonly number[], budgetNs: number, forGood: readonly number[] = []) {
  let now = 0;
  const read = costs.map(() => 0);
  const readers = costs.map((cost, i) => ({
    first: i === 0,
    read() {
      now += cost;
      read[i]!++;
      return !forGood.includes(i);
    },
  }));
  const rota = new Rota(readers, budgetNs, () => now);
  const rounds = (n: number) => {
    for (let i = 0; i < n; i++) rota.round();
    return { read, spentNs: now };
  };
  return { rounds };
}

describe('a rota of readers', () => {
  test('what is cheap is read in every round', () => {
    expect(setting([1, 1, 1, 1], 100).rounds(10).read).toEqual([10, 10, 10, 10]);
  });

  test('eight calls of 0.5 ms in 1 ms a round: the first each time, the others in turn, 1 ms in the mean', () => {
    const { read, spentNs } = setting(new Array(8).fill(500), 1000).rounds(70);
    expect(read).toEqual([70, 10, 10, 10, 10, 10, 10, 10]);
    expect(spentNs).toBe(70_000);
  });

  test('a call dearer than the budget is made up for by rounds without one', () => {
    const { read, spentNs } = setting([3000, 100], 1000).rounds(30);
    expect(spentNs).toBeLessThanOrEqual(31_000);
    expect(read[0]).toBe(10);
  });

  test('what has nothing to tell is asked once', () => {
    expect(setting([1, 1, 1], 100, [0, 2]).rounds(5).read).toEqual([1, 5, 1]);
  });
});
