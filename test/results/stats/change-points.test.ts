import { describe, expect, it } from 'vitest';
import { changePoints } from '../../../results/stats/change-points.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/random.js';

/**
 * Annual flow of the Nile at Aswan 1871–1970, 10^8 m³ (Cobb 1978; R's `Nile`): the textbook series with one change, between
 * 1898 and 1899.
 */
const NILE = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100,
  1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456,
  824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897,
  822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975,
  815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];

describe('change points', () => {
  it('finds the Nile’s between 1898 and 1899, and no other', () => {
    expect(changePoints(NILE, { seed: 1n }).map(({ at }) => 1871 + at)).toEqual([1899]);
  });

  it('finds each of two steps where it is', () => {
    const random = new FastRandom(3);
    const level = (n: number, mean: number) => Array.from({ length: n }, () => mean + canonicalDouble(random));
    const series = [...level(12, 0), ...level(10, 3), ...level(11, 1.5)];
    expect(changePoints(series, { seed: 2n }).map(({ at }) => at)).toEqual([12, 22]);
  });

  it('takes no outlier for a change', () => {
    const series = [10, 10.1, 9.9, 10, 10.2, 30, 10.1, 9.8, 10, 10.1, 9.9, 10];
    expect(changePoints(series, { seed: 4n })).toEqual([]);
  });

  it('finds one in at most 10 % of 100 series without any', () => {
    const random = new FastRandom(9);
    let found = 0;
    for (let i = 0; i < 100; i++) {
      const series = Array.from({ length: 20 }, () => -Math.log1p(-canonicalDouble(random)));
      if (changePoints(series, { seed: BigInt(i) }).length > 0) found++;
    }
    expect(found).toBeLessThanOrEqual(10);
  });

  it('has nothing to say of fewer than eight values, of equal ones, or of none', () => {
    expect(changePoints([1, 1, 1, 9, 9, 9], { seed: 1n })).toEqual([]);
    expect(changePoints(new Array<number>(30).fill(4), { seed: 1n })).toEqual([]);
    expect(changePoints([], { seed: 1n })).toEqual([]);
    expect(changePoints([1, 1.1, 1, 1.05, 9, 9.1, 9, 9.05], { seed: 1n }).map(({ at }) => at)).toEqual([4]);
  });
});
