import { parentPort, workerData } from 'node:worker_threads';
import { nowNs } from '../../results/clock.js';
import { sharpenSleep } from '../../results/timer-slack.js';

/** The sleeping thread of alarm.ts: posts one message when the time that it was told has come. */
const memory = workerData as SharedArrayBuffer;
const generation = new Int32Array(memory, 0, 1);
const wakeNs = new Float64Array(memory, 8, 1);

sharpenSleep();
/** The generation whose call has been made. */
let called = 0;
for (;;) {
  const current = Atomics.load(generation, 0);
  if (current < 0) break;
  if (current === called) {
    Atomics.wait(generation, 0, current);
    continue;
  }
  const left = wakeNs[0]! - nowNs();
  // Woken before its time: there is a new time, or the end.
  if (left > 0 && Atomics.wait(generation, 0, current, left / 1e6) !== 'timed-out') continue;
  called = current;
  parentPort!.postMessage(0);
}
