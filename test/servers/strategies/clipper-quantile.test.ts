import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type QuantileQuestion, quantileCap, type Sample } from '../../../servers/strategies/support/quantile-line.js';
import { MS, play } from './stage.js';

/** 2 ms and 1 ms a row. */
const cost = [
  [1, 3 * MS],
  [2, 4 * MS],
] as const;

test('once two sizes are seen the cap is read off the line, but at most doubles: 1, 2, 4, 8, 16, then the 18 that take 20 ms', () => {
  const lines = play(
    { strategy: 'clipper-quantile', options: { slo: '20ms' }, cost },
    Array.from({ length: 49 }, () => 0),
  );
  expect(lines.map((line) => line.split(' @')[0]!.split(',').length)).toEqual([1, 2, 4, 8, 16, 18]);
});

test('latencies that do not rise with size allow the largest batch, as far as growth goes', () => {
  const options = { slo: '20ms', maxBatchSize: 3 };
  const lines = play({ strategy: 'clipper-quantile', options, cost: [[1, MS]] }, [0, 0, 0, 0, 0, 0, 0]);
  expect(lines.map((line) => line.split(' @')[0]!.split(',').length)).toEqual([1, 2, 3, 1]);
});

test('the line through a high quantile is the upper one', () => {
  const samples = [
    { rows: 1, latency: 10 },
    { rows: 1, latency: 11 },
    { rows: 5, latency: 50 },
    { rows: 5, latency: 61 },
  ];
  // Through (1, 11) and (5, 61): 12.5 a row; 100 is reached at 1 + 89 / 12.5 = 8.12.
  expect(quantileCap(samples, { slo: 100, percent: 99, maxBatchSize: 64 })).toBe(8);
  // The least loss at 1 % is the lower one: 10 a row, 100 is reached at 10.
  expect(quantileCap(samples, { slo: 100, percent: 1, maxBatchSize: 64 })).toBe(10);
});

test('samples of one size have no line', () => {
  expect(quantileCap([{ rows: 3, latency: 5 }], { slo: 9, percent: 99, maxBatchSize: 8 })).toBeUndefined();
});

test('the answer is that of integers of any size, from nanoseconds to years', () => {
  const sample = (latency: fc.Arbitrary<number>) => fc.record({ rows: fc.integer({ min: 1, max: 6 }), latency });
  const samples = fc.oneof(
    fc.array(sample(fc.integer({ min: 0, max: 30 })), { maxLength: 8 }),
    fc.array(sample(fc.integer({ min: 0, max: 10 ** 10 })), { maxLength: 8 }),
    fc.array(sample(fc.integer({ min: 10 ** 15, max: 2 ** 52 })), { maxLength: 8 }),
  );
  const question = fc.record({
    slo: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 ** 52 })),
    percent: fc.integer({ min: 1, max: 99 }),
    maxBatchSize: fc.constantFrom(4, 1024),
  });
  fc.assert(
    fc.property(samples, question, (given, asked) => {
      const [found, expected] = [quantileCap(given, asked), literalCap(given, asked)];
      expect(found && Math.min(found, 2 ** 50)).toBe(expected && Math.min(expected, 2 ** 50));
    }),
    { seed: 7, numRuns: 2000 },
  );
});

/** The rule as it is written, every pair of samples, in integers without bounds. */
function literalCap(samples: readonly Sample[], { slo, percent, maxBatchSize }: QuantileQuestion): number | undefined {
  const points = samples.map(({ rows, latency }) => ({ x: BigInt(rows), y: BigInt(latency) }));
  const candidates = points.flatMap((one) =>
    points
      .filter((two) => one.x < two.x)
      .map((two) => {
        const dx = two.x - one.x;
        const dy = two.y - one.y;
        const rs = points.map(({ x, y }) => (y - one.y) * dx - dy * (x - one.x));
        const losses = rs.map((r) => (r >= 0n ? BigInt(percent) * r : BigInt(100 - percent) * -r));
        const over = (BigInt(slo) - one.y) * dx;
        const cap = dy <= 0n ? BigInt(maxBatchSize) : one.x + (over - (((over % dy) + dy) % dy)) / dy;
        return { loss: losses.reduce((sum, loss) => sum + loss, 0n), dx, cap };
      }),
  );
  const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  candidates.sort((a, b) => compare(a.loss * b.dx, b.loss * a.dx) || compare(a.cap, b.cap));
  return candidates[0] && Number(candidates[0].cap);
}
