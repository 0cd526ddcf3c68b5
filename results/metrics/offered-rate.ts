import { absent, type MetricDefinition } from './contract.js';

/** (n − 1) / last due. Source: LoadGen's scheduled samples per second. */
export const offeredRate: MetricDefinition = {
  name: 'offeredRate',
  summary: 'requests due per second, by the schedule',
  compute: ({ records, measured, scheduled }) => {
    if (!scheduled) return absent('/s', 'a closed loop offers what the server takes');
    const last = measured.at(-1);
    const seconds = last === undefined ? 0 : records.dueNs[last]! / 1e9;
    if (!(seconds > 0)) return absent('/s', 'a rate needs two requests of a schedule');
    return { value: (measured.length - 1) / seconds, unit: '/s' };
  },
};
