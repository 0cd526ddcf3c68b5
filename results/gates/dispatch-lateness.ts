import { countAbove, percentile } from '../stats/index.js';
import { formatDuration } from '../units.js';
import type { GateDefinition, GateInput } from './contract.js';
import { peakInFlight } from './in-flight.js';
import { count } from './text.js';

/** p99 of issued − due may be 1 ms, or 5 % of the median latency where that is more. */
export const dispatchLateness: GateDefinition = {
  name: 'dispatch-lateness',
  summary: 'requests are sent when they are due: p99 lateness ≤ max(1 ms, 5 % of the median latency)',
  check(input) {
    const { load, sortedLatenessNs, window } = input;
    if (!load.scheduled || load.latenessExpected || sortedLatenessNs.length === 0) return undefined;
    const median = percentile(window.sortedLatencyNs, 0.5);
    const limit = Math.max(1e6, Number.isNaN(median) ? 0 : 0.05 * median);
    const p99 = percentile(sortedLatenessNs, 0.99);
    if (p99 <= limit) return undefined;
    const late = countAbove(sortedLatenessNs, limit);
    const { cause, advice } = blame(input);
    return {
      severity: 'invalid',
      message: `${count(late)} of ${count(sortedLatenessNs.length)} requests were issued more than ${formatDuration(limit)} after they were due (p99 ${formatDuration(p99)}). ${cause}`,
      advice,
    };
  },
};

/** A load process that is held back by its cap is not slow: the server is, and the cap hides it. */
function blame({ load, window }: GateInput): { readonly cause: string; readonly advice: string } {
  if (load.cap !== null && peakInFlight(window) >= load.cap)
    return {
      cause: `The limit of ${count(load.cap)} requests in flight held them back.`,
      advice: 'Raise the number of connections, or lower the rate below what the server can answer.',
    };
  return {
    cause: 'The load generator, not the server, was the limit.',
    advice: 'Lower the rate, use a machine with more cores, or give the load cores of its own (serverCpus, loadCpus).',
  };
}
