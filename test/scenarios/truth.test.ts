import { describe, expect, test } from 'vitest';
import { trueLatencyNs } from '../../scenarios/truth.js';

describe('the true latency of a stalling server', () => {
  const stall = { everyNs: 10e9, forNs: 1e9 };

  test('at no load: the last tenth of all wait 0 to 1 s evenly, so p95 is 500 ms and p99 900 ms', () => {
    const server = { ratePerSecond: 200, serviceNs: 0, stall };
    expect(trueLatencyNs(server, 0.95) / 1e6).toBeCloseTo(500);
    expect(trueLatencyNs(server, 0.99) / 1e6).toBeCloseTo(900);
    expect(trueLatencyNs(server, 0.5)).toBe(0);
  });

  test.each([
    [200, 100e3],
    [200, 1e6],
    [500, 1e6],
  ])(
    'at %d/s and a service time of %d ns it is that of a queue worked off request by request',
    (ratePerSecond, serviceNs) => {
      const periods = 20;
      const count = (ratePerSecond * stall.everyNs * periods) / 1e9;
      const latencies: number[] = [];
      let free = 0;
      for (let i = 0; i < count; i++) {
        const due = (i * 1e9) / ratePerSecond;
        let start = Math.max(due, free);
        const phase = start % stall.everyNs;
        if (phase >= stall.everyNs - stall.forNs) start += stall.everyNs - phase;
        free = start + serviceNs;
        latencies.push(free - due);
      }
      latencies.sort((a, b) => a - b);
      for (const p of [0.5, 0.9, 0.95, 0.99]) {
        const counted = latencies[Math.floor(p * count)]!;
        const closed = trueLatencyNs({ ratePerSecond, serviceNs, stall }, p);
        expect(Math.abs(closed - counted), `p${p * 100}`).toBeLessThan(12e6);
      }
    },
  );

  test('without a stall it is the service time', () => {
    expect(trueLatencyNs({ ratePerSecond: 100, serviceNs: 5e6 }, 0.99)).toBe(5e6);
  });

  test('an overloaded server and a backlog that outlasts its period have none', () => {
    expect(() => trueLatencyNs({ ratePerSecond: 300, serviceNs: 5e6 }, 0.5)).toThrow('150 %');
    expect(() =>
      trueLatencyNs({ ratePerSecond: 900, serviceNs: 1e6, stall: { everyNs: 2e9, forNs: 1e9 } }, 0.5),
    ).toThrow('not worked off');
  });
});
