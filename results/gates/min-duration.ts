import { formatDuration } from '../units.js';
import type { GateDefinition, GateInput } from './contract.js';

/**
 * LoadGen tests the last scheduled time of a schedule, the longest latency offline, and the last issue time of a closed
 * loop. Ours tests the last completion of a loop: one of fixed length issues nothing in its last service time.
 */
export const minDuration: GateDefinition = {
  name: 'min-duration',
  summary: 'the load lasts at least as long as its type or preset demands',
  check(input) {
    const { load } = input;
    const lasted = lastedNs(input);
    if (lasted >= load.minDurationNs) return undefined;
    return {
      severity: 'invalid',
      message: `It lasted ${formatDuration(lasted)}; at least ${formatDuration(load.minDurationNs)} are needed (${formatDuration(load.minDurationNs - lasted)} more).`,
      advice: load.latenessExpected
        ? `Offer about ${Math.ceil(load.minDurationNs / Math.max(1, lasted))} times as many samples (expected rate × duration).`
        : 'Raise the duration of the load, or choose a shorter preset.',
    };
  },
};

function lastedNs({ load, window }: GateInput): number {
  const { records, measured, sortedLatencyNs } = window;
  if (load.latenessExpected) return sortedLatencyNs.at(-1) ?? 0;
  const last = measured.at(-1);
  if (last === undefined) return 0;
  // n requests of a schedule cover n mean gaps, of which the last lies behind the last request.
  if (load.scheduled) return (records.dueNs[last]! * measured.length) / Math.max(1, measured.length - 1);
  return measured.reduce((latest, row) => Math.max(latest, records.completedNs[row]! || 0), 0);
}
