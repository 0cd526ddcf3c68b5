import fc from 'fast-check';
import { expect, it } from 'vitest';
import { benjaminiHochberg } from '../../../results/stats/multiplicity.js';

/** Benjamini and Hochberg 1995, section 3.2: 15 hypotheses of a trial of thrombolysis; at q = 0.05 the first four stand. */
const PAPER = [
  0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
];

it('Benjamini–Hochberg lets the first four of the paper’s fifteen stand', () => {
  const adjusted = benjaminiHochberg(PAPER);
  expect(adjusted.map((p) => p! <= 0.05)).toEqual(PAPER.map((_, i) => i < 4));
  expect(adjusted[3]).toBeCloseTo((0.0095 * 15) / 4, 12);
});

it('the adjusted p-values keep the order, are no smaller, at most 1, and null stays null', () => {
  const pValues = fc.array(fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }), { maxLength: 20 });
  fc.assert(
    fc.property(pValues, (list) => {
      const adjusted = benjaminiHochberg(list);
      for (const [i, p] of list.entries()) {
        if (p === null) expect(adjusted[i]).toBeNull();
        else expect(adjusted[i]! >= p && adjusted[i]! <= 1).toBe(true);
        for (const [j, other] of list.entries())
          if (p !== null && other !== null && p < other) expect(adjusted[i]! <= adjusted[j]!).toBe(true);
      }
    }),
  );
});
