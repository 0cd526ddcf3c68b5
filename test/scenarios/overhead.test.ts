import { describe, expect, it } from 'vitest';
import { planFrom } from '../../scenarios/load-facts.js';
import { NO_OVERHEAD, overheadOf, Replay } from '../../scenarios/overhead.js';
import { simulateTrial } from '../../scenarios/simulated.js';
import { recordsOf } from '../results/facts.js';

const SERIAL = {
  name: 'serial',
  summary: 'serial',
  strategy: { name: 'serial', options: {} },
  instances: 1,
  isolation: 'thread',
  model: { zoo: 'fashion-mlp' },
} as const;
const SEEDS = { schedule: '1', samples: '2' };

describe('what serving adds to a cost table', () => {
  // 100 requests of 3 ms: 1 ms of queue, 1 ms of compute; 1 ms is the way there and back.
  const rows = Array.from({ length: 100 }, (_, i) => ({
    due: i,
    completed: i + 3,
    server: [0.1, 1, 0.2, 0.7, 0.1, 0.1] as const,
  }));

  it('is the period of a busy instance less its profiled cost, and what neither queue nor compute explains', () => {
    // 400 a second is 2.5 ms an execution, of which the table knows 2.
    const { executionNs, requestNs } = overheadOf(recordsOf(rows), 400, [[1, 2e6]]);
    expect(executionNs).toBeCloseTo(0.5e6, -1);
    expect(requestNs).toBeCloseTo(1e6, -1);
  });

  it('is never negative, and no way there and back where the server does not tell', () => {
    const untold = rows.map(({ due, completed }) => ({ due, completed }));
    expect(overheadOf(recordsOf(untold), 1000, [[1, 2e6]])).toMatchObject({
      executionNs: 0,
      requestNs: 0,
      course: { atNs: { length: 0 } },
    });
  });

  it('lengthens every latency by the way, every execution by its share, and slows a closed loop by both', () => {
    const plan = planFrom({ type: 'single-stream', options: { duration: 1e9 } }, SEEDS, 'quick');
    const bare = simulateTrial(SERIAL, plan, [[1, 1e6]]);
    const served = simulateTrial(SERIAL, plan, [[1, 1e6]], { ...NO_OVERHEAD, executionNs: 0.5e6, requestNs: 0.5e6 });
    const latency = ({ records }: typeof bare) => records.completedNs[7]! - records.dueNs[7]!;
    expect([latency(bare), latency(served)]).toEqual([1e6, 2e6]);
    expect([bare.records.length, served.records.length]).toEqual([1000, 500]);
  });

  it('raises an open load’s utilisation: at 400/s, 2 ms and 0.4 ms more leave 4 % idle, not 20 %', () => {
    const plan = planFrom(
      { type: 'open', options: { arrivals: 'poisson', rate: 400, duration: 20e9 } },
      SEEDS,
      'quick',
    );
    const mean = ({ records }: ReturnType<typeof simulateTrial>) => {
      let sum = 0;
      for (let i = 0; i < records.length; i++) sum += records.completedNs[i]! - records.dueNs[i]!;
      return sum / records.length;
    };
    // M/D/1: W = s (1 + ρ / 2(1 − ρ)): 6 ms at ρ 0.8, 31 ms at ρ 0.96.
    expect(mean(simulateTrial(SERIAL, plan, [[1, 2e6]]))).toBeGreaterThan(5e6);
    expect(mean(simulateTrial(SERIAL, plan, [[1, 2e6]]))).toBeLessThan(7e6);
    expect(mean(simulateTrial(SERIAL, plan, [[1, 2e6]], { ...NO_OVERHEAD, executionNs: 0.4e6 }))).toBeGreaterThan(15e6);
  });

  it('varies as the probe’s executions did: 1 in 10 eleven times as long as the others doubles the mean and makes a tail', () => {
    const executions = Array.from({ length: 100 }, (_, i) => ({
      ...rows[i]!,
      server: [0, 1, 0, i % 10 === 0 ? 11 : 1, 0, 0] as const,
    }));
    const { course } = overheadOf(recordsOf(executions), 400, [[1, 2e6]]);
    expect([course.atNs[0], course.atNs[1]]).toEqual([expect.closeTo(13.75e6, 3), expect.closeTo(15e6, 3)]);
    const plan = planFrom({ type: 'single-stream', options: { duration: 2e9 } }, SEEDS, 'quick');
    const { records } = simulateTrial(SERIAL, plan, [[1, 2e6]], {
      ...NO_OVERHEAD,
      executionNs: 0.5e6,
      course: { ...course, restNs: new Float64Array(100) },
    });
    const slow = [...Array(records.length).keys()].filter((i) => records.completedNs[i]! - records.dueNs[i]! > 10e6);
    expect(slow.length / records.length).toBeGreaterThan(0.07);
    expect(slow.length / records.length).toBeLessThan(0.13);
  });

  it('keeps good and bad moments together: the same slow executions in one burst make a far longer queue than one by one', () => {
    const plan = planFrom(
      { type: 'open', options: { arrivals: 'constant', rate: 400, duration: 4e9 } },
      SEEDS,
      'quick',
    );
    // 100 of 1000 executions of the probe took five times as long as the others, all in one place or spread.
    const courseOf = (isSlow: (i: number) => boolean) => ({
      atNs: cumulative(1000, (i) => (isSlow(i) ? 5e6 : 1e6)),
      restNs: new Float64Array(1000),
      unitNs: 1.4e6,
    });
    const worst = (isSlow: (i: number) => boolean) => {
      const { records } = simulateTrial(SERIAL, plan, [[1, 1.4e6]], { ...NO_OVERHEAD, course: courseOf(isSlow) });
      let most = 0;
      for (let i = 0; i < records.length; i++) most = Math.max(most, records.completedNs[i]! - records.dueNs[i]!);
      return most;
    };
    expect(worst((i) => i % 10 === 0)).toBeLessThan(10e6);
    // Half a second at 5 ms each, due every 2.5 ms: at its end half of them wait, for a quarter of a second.
    expect(worst((i) => i >= 500 && i < 600)).toBeGreaterThan(200e6);
  });

  it('a request meets busy threads as often as the load is of the probe’s: at half its rate half of them', () => {
    const course = {
      atNs: Float64Array.of(1e6, 2e6),
      restNs: Float64Array.of(9e6, 9e6),
      unitNs: 1e6,
    };
    const plan = planFrom(
      { type: 'open', options: { arrivals: 'constant', rate: 100, duration: 20e9 } },
      SEEDS,
      'quick',
    );
    const served = { ...NO_OVERHEAD, course, requestNs: 1e6, ratePerSecond: 200 };
    const { records } = simulateTrial(SERIAL, plan, [[1, 1e6]], served);
    const latencies = Array.from({ length: records.length }, (_, i) => records.completedNs[i]! - records.dueNs[i]!);
    expect(new Set(latencies)).toEqual(new Set([2e6, 10e6]));
    const busy = latencies.filter((ns) => ns === 10e6).length / latencies.length;
    expect(busy).toBeGreaterThan(0.45);
    expect(busy).toBeLessThan(0.55);
  });

  it('a stall ends when it did in the probe: an execution that begins late in it, or a large one, waits for the rest of it only', () => {
    // Executions of 1 ms, and one that was held up for 100 ms, from 10 ms to 110 ms.
    const replay = new Replay({
      atNs: cumulative(20, (i) => (i === 10 ? 100e6 : 1e6)),
      restNs: new Float64Array(20),
      unitNs: 1e6,
    });
    expect(replay.durationFrom(10e6, 1e6)).toBe(100e6);
    // 10 ms before its end a tenth of the execution is left to the stall, the other nine follow at full speed.
    expect(replay.durationFrom(100e6, 1e6)).toBe(10.9e6);
    expect(replay.durationFrom(9e6, 3e6)).toBe(102e6);
    expect(replay.durationFrom(0, 1e6)).toBe(1e6);
    // The course begins again.
    expect(replay.durationFrom(118e6, 2e6)).toBe(2e6);
  });
});

function cumulative(length: number, each: (i: number) => number): Float64Array {
  let at = 0;
  return Float64Array.from({ length }, (_, i) => (at += each(i)));
}
