import { describe, expect, test } from 'vitest';
import { nowNs } from '../../../results/clock.js';
import type { Runtime } from '../../../servers/runtimes/contract.js';
import { createRuntime, runtimes } from '../../../servers/runtimes/registry.js';
import { stallLeft } from '../../../servers/runtimes/synthetic.js';

describe('the synthetic runtime', () => {
  test.each(['sleep', 'spin'])(
    'never takes less than its table says (%s): 4 rows between [1, 1 ms] and [7, 7 ms] take 4 ms',
    async (mode) => {
      const runtime = await createRuntime('synthetic', undefined, {
        mode,
        cost: [
          [1, '1ms'],
          [7, '7ms'],
        ],
      });
      expect(await timed(runtime, 4)).toBeGreaterThanOrEqual(4e6);
    },
  );

  test('factor 2 is half as fast', async () => {
    const runtime = await createRuntime('synthetic', undefined, { factor: 2, cost: [[1, '3ms']] });
    expect(await timed(runtime, 1)).toBeGreaterThanOrEqual(6e6);
  });

  test('a 1 s stall at the end of every 10 s holds what begins 9.25 s in for 0.75 s, and nothing before', () => {
    expect(stallLeft(9.25e9, 10e9, 1e9)).toBe(0.75e9);
    expect(stallLeft(19e9, 10e9, 1e9)).toBe(1e9);
    expect(stallLeft(8.99e9, 10e9, 1e9)).toBe(0);
    expect(stallLeft(10e9, 10e9, 1e9)).toBe(0);
  });

  test('fails as often as it is told to, by its seed, and never while it warms up', async () => {
    const failures = async (seed: number) => {
      const runtime = await createRuntime('synthetic', undefined, { cost: [[1, 0]], errors: { seed, rate: 0.25 } });
      const failed: number[] = [];
      for (let n = 1; n <= 403; n++) await timed(runtime, 1).catch(() => failed.push(n));
      return failed;
    };
    const first = await failures(7);
    expect(first).toEqual(await failures(7));
    expect(first).not.toEqual(await failures(8));
    expect(first[0]).toBeGreaterThan(3);
    // 100 ± 4 standard deviations.
    expect(Math.abs(first.length - 100)).toBeLessThan(35);
  });

  test('outputs repeat the rows of the first input', async () => {
    const runtime = await createRuntime('synthetic', undefined, {
      cost: [[1, 0]],
      inputs: [{ name: 'a', datatype: 'INT32', shape: [-1, 2] }],
      outputs: [
        { name: 'b', datatype: 'INT32', shape: [-1, 3] },
        { name: 'c', datatype: 'FP32', shape: [-1] },
      ],
    });
    const input = { name: 'a', datatype: 'INT32' as const, shape: [2, 2], buffer: new Int32Array([1, 2, 3, 4]).buffer };
    const [b, c] = await runtime.execute([input], 2);
    expect([b!.shape, ...new Int32Array(b!.buffer)]).toEqual([[2, 3], 1, 2, 0, 3, 4, 0]);
    expect([c!.shape, ...new Float32Array(c!.buffer)]).toEqual([[2], 0, 0]);
  });

  test('a table whose rows do not ascend is refused, with its place', async () => {
    await expect(
      createRuntime('synthetic', undefined, {
        cost: [
          [2, 1],
          [1, 1],
        ],
      }),
    ).rejects.toThrow('synthetic.cost: rows must ascend');
  });
});

test('every runtime has a summary, and its name is its own', () => {
  expect(new Set(runtimes.map(({ name }) => name)).size).toBe(runtimes.length);
  for (const { summary } of runtimes) expect(summary).not.toBe('');
});

async function timed(runtime: Runtime, rows: number): Promise<number> {
  const input = { name: 'x', datatype: 'FP32' as const, shape: [rows, 4], buffer: new ArrayBuffer(16 * rows) };
  const begin = nowNs();
  await runtime.execute([input], rows);
  return nowNs() - begin;
}
