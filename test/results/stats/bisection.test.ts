import { describe, expect, it } from 'vitest';
import { bisection } from '../../../results/stats/bisection.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/random.js';

describe('probabilistic bisection', () => {
  it('asks in the geometric middle first, and after a sure answer in the middle of what is left', () => {
    const search = bisection(1, 10_000);
    expect(search.quantile(0.5)).toBeCloseTo(100, 6);
    search.tell(100, 'above', 1);
    expect(search.quantile(0.5)).toBeCloseTo(1000, 6);
    search.tell(1000, 'below', 1);
    expect(search.quantile(0.5)).toBeCloseTo(Math.sqrt(100_000), 6);
    expect(search.interval(0.8).low).toBeCloseTo(100 * 10 ** 0.1, 6);
    expect(search.interval(0.8).high).toBeCloseTo(100 * 10 ** 0.9, 6);
  });

  it('by hand: one answer of reliability 0.8 puts 0.8 of the weight above it', () => {
    const search = bisection(1, 16);
    search.tell(4, 'above', 0.8);
    // The median has 0.3 of the upper 0.8 below it: 3/8 of the way from 4 to 16 in logarithm.
    expect(search.quantile(0.5)).toBeCloseTo(4 * 4 ** (3 / 8), 6);
  });

  it('covers the truth with its 90 % interval in at least 90 of 100, where a fifth of the answers are wrong', () => {
    let covered = 0;
    let width = 0;
    for (let run = 1; run <= 400; run++) {
      const random = new FastRandom(BigInt(run));
      const truth = 100 ** canonicalDouble(random);
      const search = bisection(1, 100);
      for (let i = 0; i < 30; i++) {
        const at = search.quantile(0.5);
        const right = truth > at ? 'above' : 'below';
        const wrong = truth > at ? 'below' : 'above';
        search.tell(at, canonicalDouble(random) < 0.8 ? right : wrong, 0.8);
      }
      const { low, high } = search.interval(0.9);
      if (low <= truth && truth <= high) covered++;
      width += Math.log(high / low);
    }
    expect(covered).toBeGreaterThanOrEqual(350);
    expect(Math.exp(width / 400)).toBeLessThan(1.35);
  });
});
