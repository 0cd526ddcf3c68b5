import { describe, expect, it } from 'vitest';
import { canonicalDouble, FastRandom } from '../../../results/stats/random.js';
import { shareEvidence, shareTest } from '../../../results/stats/sequential.js';

/** Decisions of `runs` seeded experiments: blocks of 250 trials whose hits are drawn by `hits`, up to 80 blocks. */
function decisions(runs: number, alpha: number, hits: (random: FastRandom) => number[]) {
  const found = { below: 0, above: 0, none: 0, blocks: 0 };
  for (let run = 1; run <= runs; run++) {
    const random = new FastRandom(BigInt(run));
    const test = shareTest(0.01, alpha);
    let decided: string | null = null;
    for (let block = 0; block < 80 && decided === null; block++) {
      const values = hits(random);
      const sum = values.reduce((total, value) => total + value, 0);
      const squares = values.reduce((total, value) => total + value * value, 0);
      const over = values.filter((value) => value > 10).length;
      decided = test.add({ trials: 250, hits: over, sum, squares }).decided;
      found.blocks++;
    }
    found[(decided ?? 'none') as 'below' | 'above' | 'none']++;
  }
  return found;
}

/** Latencies whose share over 10 is `share`: exponential, each drawn anew. */
const independent = (share: number) => (random: FastRandom) =>
  Array.from({ length: 250 }, () => (10 * Math.log(1 - canonicalDouble(random))) / Math.log(share));

describe('the sequential test of a share', () => {
  it('has e-values that average 1 at the limit after any number of trials: exactly, by summing over all counts', () => {
    for (const n of [1, 10, 200]) {
      let below = 0;
      let above = 0;
      let logarithm = n * Math.log(0.99);
      for (let k = 0; k <= n; k++) {
        const evidence = shareEvidence(0.01, n, k);
        below += Math.exp(logarithm + evidence.below);
        above += Math.exp(logarithm + evidence.above);
        logarithm += Math.log((n - k) / (k + 1)) + Math.log(0.01 / 0.99);
      }
      expect(below).toBeCloseTo(1, 6);
      expect(above).toBeCloseTo(1, 6);
    }
  });

  it('at the limit itself says below or above wrongly in at most 5 of 100 of 300 runs, looked at 80 times each', () => {
    const { below, above } = decisions(300, 0.05, independent(0.01));
    expect(below).toBeLessThanOrEqual(15);
    expect(above).toBeLessThanOrEqual(15);
  });

  it('tells a clear pass and a clear fail in a fraction of the 20,000 trials, always rightly in 200 runs', () => {
    const pass = decisions(200, 0.05, independent(0.001));
    expect(pass).toMatchObject({ below: 200, above: 0 });
    expect(pass.blocks / 200).toBeLessThan(12);
    const fail = decisions(200, 0.05, independent(0.05));
    expect(fail).toMatchObject({ below: 0, above: 200 });
    expect(fail.blocks / 200).toBeLessThan(10);
  });

  it('is not fooled by neighbours that are alike: 25 equal ones in a row, at the limit, 300 runs, at most 5 of 100 wrong', () => {
    const alike = (random: FastRandom) =>
      Array.from({ length: 10 }, () => (10 * Math.log(1 - canonicalDouble(random))) / Math.log(0.01)).flatMap((value) =>
        new Array<number>(25).fill(value),
      );
    const { below, above } = decisions(300, 0.05, alike);
    expect(below).toBeLessThanOrEqual(15);
    expect(above).toBeLessThanOrEqual(15);
  });
});
