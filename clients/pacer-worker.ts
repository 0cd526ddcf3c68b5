import { parentPort, workerData } from 'node:worker_threads';
import { nowNs } from '../results/clock.js';
import { sharpenSleep } from '../results/timer-slack.js';
import { CHANGES, CLOSED, pacerMemory, TARGET } from './pacer-protocol.js';

/**
 * Sleeps in a futex until the target time, then wakes the sender by a message with the target: ten times as exact as a
 * timer of the event loop, and without its CPU cost.
 */
const { control, times } = pacerMemory(workerData as SharedArrayBuffer);
let served = Number.NaN;

sharpenSleep();
parentPort!.postMessage('ready');
while (Atomics.load(control, CLOSED) === 0) {
  const changes = Atomics.load(control, CHANGES);
  const target = times[TARGET]!;
  if (target === served || target === Number.POSITIVE_INFINITY) {
    Atomics.wait(control, CHANGES, changes);
    continue;
  }
  const left = target - nowNs();
  if (left > 0 && Atomics.wait(control, CHANGES, changes, left / 1e6) !== 'timed-out') continue;
  if (Atomics.load(control, CHANGES) !== changes) continue;
  served = target;
  parentPort!.postMessage(target);
}
