import { afterEach, expect, test } from 'vitest';
import { nowNs } from '../../../results/clock.js';
import { type ExecutorClock, realClock } from '../../../servers/executors/alarm.js';

let clock: ExecutorClock;
afterEach(() => clock.close());

test.each([100e3, 1e6, 20e6])('a wake in %d ns does not come before its time', async (ns) => {
  clock = realClock();
  const due = clock.now() + ns;
  await new Promise<void>((resolve) => clock.wakeAt(due, resolve));
  expect(nowNs()).toBeGreaterThanOrEqual(due);
});

test('an earlier wake replaces a later one', async () => {
  clock = realClock();
  const woken: string[] = [];
  clock.wakeAt(clock.now() + 3600e9, () => woken.push('later'));
  await new Promise<void>((resolve) =>
    clock.wakeAt(clock.now() + 2e6, () => {
      woken.push('earlier');
      resolve();
    }),
  );
  expect(woken).toEqual(['earlier']);
});

test('a later wake replaces an earlier one', async () => {
  clock = realClock();
  const later = clock.now() + 6e6;
  clock.wakeAt(clock.now() + 2e6, () => {});
  await new Promise<void>((resolve) => clock.wakeAt(later, resolve));
  expect(nowNs()).toBeGreaterThanOrEqual(later);
});
