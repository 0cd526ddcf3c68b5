import { describe, expect, it } from 'vitest';
import { baselineOf, pointsOf, segmentStarts } from '../../../results/regression/baseline.js';
import { fakeHistory, fakeNight } from '../../fakes/history.js';

const CELL = { system: 'serial', load: 'alone', transport: 'grpc' };

describe('a baseline', () => {
  it('is the segment since the last change point: ten nights, then eight that are 20 % faster', () => {
    const history = fakeHistory(18, 5n, (night) => (night < 10 ? 1 : 0.8));
    expect(segmentStarts(pointsOf(history, CELL, 'p50Latency'), 1n)).toEqual([0, 10]);
    expect(baselineOf(history, CELL, 'p50Latency', 1n)).toMatchObject({ runs: 8, trials: { length: 40 } });
    // The CPU time did not change, so its baseline goes all the way back.
    expect(baselineOf(history, CELL, 'cpuPerRequest', 1n).runs).toBe(18);
  });

  it('leaves out runs that were judged regressions, and begins anew where one was accepted', () => {
    const nights = fakeHistory(6, 2n);
    const slow = (night: number, verdict: 'regressed' | 'accepted') => fakeNight({ night, factor: 1.3, verdict }, 2n);
    expect(baselineOf([...nights, slow(7, 'regressed')], CELL, 'p50Latency', 1n).runs).toBe(6);
    expect(baselineOf([...nights, slow(7, 'regressed'), slow(8, 'accepted')], CELL, 'p50Latency', 1n).runs).toBe(1);
  });

  it('looks back twenty runs at most', () => {
    expect(baselineOf(fakeHistory(30, 2n), CELL, 'p50Latency', 1n).runs).toBe(20);
  });

  it('has for its noise what one more run may differ by, from three runs on; of two their ratio; of one nothing', () => {
    const medians = [1, 1.1, 1];
    const nights = medians.map((factor, night) => {
      const entry = fakeNight({ night }, 1n);
      const trials = entry.cells[0]!.trials.map((trial) => ({
        ...trial,
        figures: { ...trial.figures, p50Latency: 100 * factor },
      }));
      return { ...entry, cells: [{ ...entry.cells[0]!, trials }] };
    });
    // Student's t of 2 degrees at 95 % is 4.30265; the logarithms deviate by ln 1.1 / √3.
    const predicted = Math.exp(4.30265 * (Math.log(1.1) / Math.sqrt(3)) * Math.sqrt(4 / 3));
    expect(baselineOf(nights, CELL, 'p50Latency', 1n).noiseFloor).toBeCloseTo(predicted, 5);
    expect(baselineOf(nights.slice(0, 2), CELL, 'p50Latency', 1n).noiseFloor).toBeCloseTo(1.1, 12);
    expect(baselineOf(nights.slice(1, 2), CELL, 'p50Latency', 1n).noiseFloor).toBeNull();
  });
});
