import { performance } from 'node:perf_hooks';
import type { EventLoopFigures } from './monitors/index.js';

/** How often the loop is looked at: 50 timers a second cost about 0.1 % of a core. */
const LOOK_MS = 20;

/**
 * Tells this thread's event-loop delay and utilisation, period by period, until the answer is called. Delay is how much later
 * than asked a timer of 20 ms fired. A loop that is blocked tells late, and then how long it was. (`monitorEventLoopDelay`
 * would not do: its `reset` forgets the interval that is under way, which is the blocked one.)
 */
export function watchEventLoop(periodMs: number, tell: (figures: EventLoopFigures) => void): () => void {
  let begin = performance.eventLoopUtilization();
  let periodStart = performance.now();
  let last = periodStart;
  let [looks, sumMs, maxMs] = [0, 0, 0];
  const timer = setInterval(() => {
    const now = performance.now();
    const delay = Math.max(0, now - last - LOOK_MS);
    last = now;
    looks++;
    sumMs += delay;
    maxMs = Math.max(maxMs, delay);
    // Half a look early is nearer than half a look late.
    if (now - periodStart < periodMs - LOOK_MS / 2) return;
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, begin);
    tell({ utilization, delayMeanNs: (sumMs / looks) * 1e6, delayMaxNs: maxMs * 1e6 });
    begin = current;
    periodStart = now;
    [looks, sumMs, maxMs] = [0, 0, 0];
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
