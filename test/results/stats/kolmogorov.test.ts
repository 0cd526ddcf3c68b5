import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispersion } from '../../../results/stats/dispersion.js';
import { kolmogorovDistance, kolmogorovDistanceTo, kolmogorovTail } from '../../../results/stats/kolmogorov.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/random.js';

const up = (values: readonly number[]) => [...values].sort((a, b) => a - b);

describe('the Kolmogorov–Smirnov distance', () => {
  it('of [1, 2, 3, 4] and [3, 4, 5, 6] is a half: up to 2 the one has two of four, the other none', () => {
    expect(kolmogorovDistance([1, 2, 3, 4], [3, 4, 5, 6])).toBe(0.5);
  });

  it('equals the plain way, sup over every value', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 }).map(up);
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const share = (of: readonly number[], t: number) => of.filter((value) => value <= t).length / of.length;
        const plain = Math.max(...[...a, ...b].map((t) => Math.abs(share(a, t) - share(b, t))));
        expect(kolmogorovDistance(a, b)).toBeCloseTo(plain, 12);
        expect(kolmogorovDistance(b, a)).toBeCloseTo(plain, 12);
      }),
    );
  });

  it('forgives what moving values by the tolerance undoes, and no more', () => {
    expect(kolmogorovDistance([10, 20, 30], [11, 19, 31], 1)).toBe(0);
    expect(kolmogorovDistance([10, 20, 30], [11, 19, 31.5], 1)).toBeCloseTo(1 / 3, 12);
  });

  it('from a law: one value in the middle of [0, 1] is half off', () => {
    expect(kolmogorovDistanceTo([0.5], (x) => x)).toBe(0.5);
    expect(kolmogorovDistanceTo([0.25, 0.75], (x) => x)).toBe(0.25);
  });

  it('has the published critical values: 1.3581 at 5 %, 1.6276 at 1 %, 1.2238 at 10 % (Smirnov’s table)', () => {
    expect(kolmogorovTail(1.3581)).toBeCloseTo(0.05, 4);
    expect(kolmogorovTail(1.6276)).toBeCloseTo(0.01, 4);
    expect(kolmogorovTail(1.2238)).toBeCloseTo(0.1, 4);
    expect(kolmogorovTail(0)).toBe(1);
  });

  it('exceeds the 5 % point in about 5 of 100 samples of the law itself', () => {
    const random = new FastRandom(7n);
    let above = 0;
    for (let i = 0; i < 1000; i++) {
      const sample = up(Array.from({ length: 200 }, () => canonicalDouble(random)));
      if (kolmogorovDistanceTo(sample, (x) => x) * Math.sqrt(200) > 1.3581) above++;
    }
    expect(above).toBeGreaterThan(30);
    expect(above).toBeLessThan(70);
  });
});

describe('the index of dispersion of counts', () => {
  it('of 2, 0, 2, 0 … a window is 4/3 · (1 of variance) / 1 for few windows: by hand 10/9 for ten', () => {
    const times = [0, 1, 20, 21, 40, 41, 60, 61, 80, 81];
    expect(dispersion(times, 10, 0, 100)).toEqual({ windowNs: 10, windows: 10, meanCount: 1, index: 10 / 9 });
  });

  it('is 0 for a metronome, about 1 for Poisson', () => {
    const metronome = Array.from({ length: 1000 }, (_, i) => i * 10 + 5);
    expect(dispersion(metronome, 100, 0, 10_000)!.index).toBe(0);
    const random = new FastRandom(3n);
    let now = 0;
    const poisson = Array.from({ length: 100_000 }, () => (now -= Math.log(1 - canonicalDouble(random))));
    expect(dispersion(poisson, 20, 0, now)!.index).toBeCloseTo(1, 1);
  });

  it('says nothing of nine windows, nor of none that anything falls into', () => {
    expect(dispersion([1, 2, 3], 10, 0, 99)).toBeUndefined();
    expect(dispersion([], 1, 0, 99)).toBeUndefined();
  });
});
