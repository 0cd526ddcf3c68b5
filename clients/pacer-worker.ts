import { parentPort, workerData } from 'node:worker_threads';
import { nowNs } from '../results/clock.js';
import { sharpenSleep } from '../results/timer-slack.js';
import { CHANGES, CLOSED, LEAD, NEXT, ORIGIN, type PacerBuffers, pacerMemory, TARGET } from './pacer-protocol.js';

/**
 * Sleeps in a futex until the next time, then wakes the sender by a message with that time: ten times as exact as a timer of
 * the event loop, and without its CPU cost. The times of the schedule are known, so that nobody has to wake this thread
 * for each of them: that would cost the sender more than to send its request.
 */
const { control, times, schedule } = pacerMemory(workerData as PacerBuffers);
let served = Number.NaN;
let origin = Number.POSITIVE_INFINITY;
let next = 0;

sharpenSleep();
parentPort!.postMessage('ready');
while (Atomics.load(control, CLOSED) === 0) {
  const changes = Atomics.load(control, CHANGES);
  if (times[ORIGIN] !== origin) {
    origin = times[ORIGIN]!;
    next = 0;
  }
  const asked = times[TARGET] === served ? Number.POSITIVE_INFINITY : times[TARGET]!;
  const scheduled = next < schedule.length ? origin + schedule[next]! - times[LEAD]! : Number.POSITIVE_INFINITY;
  const target = Math.min(asked, scheduled);
  if (target === Number.POSITIVE_INFINITY) {
    Atomics.wait(control, CHANGES, changes);
    continue;
  }
  const left = target - nowNs();
  if (left > 0 && Atomics.wait(control, CHANGES, changes, left / 1e6) !== 'timed-out') continue;
  if (Atomics.load(control, CHANGES) !== changes) continue;
  if (target === asked) served = target;
  else skipPassed();
  parentPort!.postMessage(left > 0 ? target : Number.NaN);
}

/** One message does for all that have come so near. */
function skipPassed(): void {
  const near = nowNs() + times[LEAD]! - origin;
  next++;
  while (next < schedule.length && schedule[next]! <= near) next++;
  Atomics.store(control, NEXT, next);
}
