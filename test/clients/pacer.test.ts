import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventLoop, Pacer } from '../../clients/pacer.js';
import type { Timeline } from '../../clients/timeline.js';

let pacer: Pacer;
beforeAll(async () => {
  pacer = await Pacer.start();
});
afterAll(() => pacer.close());

const wakeAt = (timeline: Timeline, at: number) =>
  new Promise<number>((resolve) => timeline.wakeAt(at, () => resolve(timeline.now())));

test('it wakes after the time, never before: in the past, in 50 µs, in 5 ms', async () => {
  for (const timeline of [pacer, eventLoop])
    for (const delay of [-1e6, 50_000, 5e6]) {
      const at = timeline.now() + delay;
      expect(await wakeAt(timeline, at)).toBeGreaterThanOrEqual(at);
    }
});

test('a later wish replaces an earlier one, also where the worker sleeps for it', async () => {
  const woken: string[] = [];
  const start = pacer.now();
  pacer.wakeAt(start + 3600e9, () => woken.push('in an hour'));
  await wakeAt(pacer, start + 2e6);
  expect(woken).toEqual([]);
  expect(pacer.now() - start).toBeGreaterThanOrEqual(2e6);
});

test('the times of a schedule are met in order, near ones and far ones, and wishes besides it too', async () => {
  const dueNs = Float64Array.from({ length: 60 }, (_, i) => 1e6 * i + (i % 3) * 20_000);
  const own = await Pacer.start(dueNs);
  const origin = own.now() + 2e6;
  own.follow(origin);
  for (const [i, due] of dueNs.entries()) {
    expect(await wakeAt(own, origin + due)).toBeGreaterThanOrEqual(origin + due);
    if (i % 10 !== 5) continue;
    const between = own.now() + 300_000;
    expect(await wakeAt(own, between)).toBeGreaterThanOrEqual(between);
  }
  const after = own.now() + 1e6;
  expect(await wakeAt(own, after)).toBeGreaterThanOrEqual(after);
  await own.close();
});

test('a hundred wishes in a row are met in order', async () => {
  let last = pacer.now();
  for (let i = 0; i < 100; i++) {
    const at = last + 300_000;
    last = await wakeAt(pacer, at);
    expect(last).toBeGreaterThanOrEqual(at);
  }
});
