import { formatDuration, formatRate } from '../units.js';
import type { GateDefinition } from './contract.js';

/**
 * Where the queue grows, latency measures how long the load ran. An intended overload is an answer and keeps its figures,
 * with a warning; where the load type claims its rate within a bound (MLPerf server), it is INVALID.
 */
export const overSaturation: GateDefinition = {
  name: 'over-saturation',
  summary: 'outstanding requests and latency do not grow, with confidence 0.99, to the load’s end',
  check({ backlog, drive, load }) {
    if (backlog === null || !backlog.saturated || drive.stoppedEarly !== null) return undefined;
    const { outstandingPerSecond: queue, latencyNsPerSecond: latency, offeredPerSecond } = backlog;
    const { low, high } = queue.interval;
    const slower = latency === null ? '' : `, and latency by ${formatDuration(latency.perSecond)} a second`;
    return {
      severity: load.latencyBoundNs === null ? 'warning' : 'invalid',
      message: `The queue grows by ${rounded(queue.perSecond)} requests/s (99 % interval ${rounded(low)} to ${rounded(high)}) from ${formatDuration(backlog.sinceNs!)} to the end${slower}: the latencies tell how long the load ran, not how fast the system is.`,
      advice: `About ${formatRate(offeredPerSecond - queue.perSecond)} of the ${formatRate(offeredPerSecond)} that are due get answered: for a latency lower the rate below that; for the throughput this is it.`,
    };
  },
};

function rounded(perSecond: number): string {
  return perSecond >= 100 ? Math.round(perSecond).toLocaleString('en-US') : perSecond.toPrecision(2);
}
