import { expect, test } from 'vitest';
import { Deadlines, type Pending } from '../../../clients/transports/deadlines.js';
import { nowNs } from '../../../results/clock.js';

class Call implements Pending {
  settled = false;
  expired = 0;
  expire(): void {
    this.settled = true;
    this.expired++;
  }
}

test('of 3,000 calls the two that are not answered expire once each; the others never', async () => {
  const deadlines = new Deadlines(20e6);
  const calls = Array.from({ length: 3000 }, () => new Call());
  for (const [i, call] of calls.entries()) {
    deadlines.add(call, nowNs());
    call.settled = i !== 5 && i !== 2500;
  }
  await expect.poll(() => calls[2500]!.expired).toBe(1);
  expect(calls.flatMap((call, i) => (call.expired ? [i] : []))).toEqual([5, 2500]);
  deadlines.close();
});

test('a closed set expires nothing', async () => {
  const deadlines = new Deadlines(1e6);
  const call = new Call();
  deadlines.add(call, nowNs());
  deadlines.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(call.expired).toBe(0);
});
