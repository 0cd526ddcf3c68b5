import { describe, expect, it } from 'vitest';
import { binomialCdf, incompleteBeta, studentQuantile } from '../../../results/stats/beta.js';
import { earlyStoppingEstimate, earlyStoppingServer, minQueries } from '../../../results/stats/early-stopping.js';

/** The published table: fewest queries for t over-latency ones, confidence 0.99. */
const OVER = [0, 1, 2, 3, 5, 10, 20, 50, 100];
const TABLE: Readonly<Record<string, readonly number[]>> = {
  '0.5': [7, 11, 14, 17, 22, 35, 59, 128, 237],
  '0.9': [44, 64, 81, 97, 127, 197, 325, 681, 1246],
  '0.95': [90, 130, 165, 198, 259, 398, 656, 1372, 2504],
  '0.97': [152, 219, 277, 332, 433, 667, 1097, 2293, 4182],
  '0.99': [459, 662, 838, 1001, 1307, 2010, 3304, 6898, 12571],
  '0.999': [4603, 6636, 8403, 10042, 13105, 20140, 33097, 69058, 125826],
};

describe('early stopping', () => {
  for (const [p, row] of Object.entries(TABLE))
    it(`needs at p = ${p} exactly the queries of the published table`, () => {
      expect(OVER.map((over) => minQueries(Number(p), over))).toEqual(row);
    });

  it('estimates p90 of 64 queries by the second slowest, of 81 by the third slowest', () => {
    const latencies = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 1);
    expect(earlyStoppingEstimate(latencies(64), 0.9)).toEqual({ value: 64, overLatency: 1 });
    expect(earlyStoppingEstimate(latencies(80), 0.9)).toEqual({ value: 80, overLatency: 1 });
    expect(earlyStoppingEstimate(latencies(81), 0.9)).toEqual({ value: 80, overLatency: 2 });
  });

  it('gives no estimate below the floor, but the number that it needs', () => {
    expect(earlyStoppingEstimate(new Float64Array(63), 0.9)).toEqual({ value: null, needs: 64 });
    expect(earlyStoppingEstimate(new Float64Array(661), 0.99)).toEqual({ value: null, needs: 662 });
  });

  it('passes a server with 5 of 1,307 queries over the bound and asks one more of 1,306', () => {
    expect(earlyStoppingServer(1307, 5, 0.99)).toEqual({ pass: true, more: 0 });
    expect(earlyStoppingServer(1306, 5, 0.99)).toEqual({ pass: false, more: 1 });
  });
});

describe('the incomplete beta function', () => {
  it('has its closed forms: I_x(1,1) = x, I_x(a,1) = x^a, I_x(2,2) = x²(3 − 2x)', () => {
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 14);
    expect(incompleteBeta(0.3, 4, 1)).toBeCloseTo(0.0081, 14);
    expect(incompleteBeta(0.3, 2, 2)).toBeCloseTo(0.216, 14);
  });

  it('mirrors: I_x(a,b) + I_1−x(b,a) = 1', () => {
    expect(incompleteBeta(0.2, 5, 9) + incompleteBeta(0.8, 9, 5)).toBeCloseTo(1, 14);
  });

  it('counts coins: P[at most 1 head in 3] = 1/2', () => {
    expect(binomialCdf(1, 3, 0.5)).toBeCloseTo(0.5, 14);
    expect(binomialCdf(3, 3, 0.5)).toBe(1);
  });

  it("gives Student's tabulated 95 % points: 12.706, 2.776, 1.984 at 1, 4, 99 degrees of freedom", () => {
    expect(studentQuantile(0.95, 1)).toBeCloseTo(12.706, 3);
    expect(studentQuantile(0.95, 4)).toBeCloseTo(2.776, 3);
    expect(studentQuantile(0.95, 99)).toBeCloseTo(1.984, 3);
  });
});
