import { absent, type MetricDefinition, type MetricValue, type Window } from './contract.js';

/** Of a schedule (n − 1) / completion of the last one due: n requests span n − 1 gaps. Of other loads n / last completion. Source: LoadGen `results.cc`. */
export const throughput: MetricDefinition = {
  name: 'throughput',
  summary: 'requests answered ok per second',
  compute: (window) => completedRate(window, window.rows.length, '/s'),
};

export const sampleThroughput: MetricDefinition = {
  name: 'sampleThroughput',
  summary: 'samples (rows) answered ok per second; offline: samples / max latency',
  compute: (window) => {
    const { rows } = window.records;
    return completedRate(
      window,
      window.rows.reduce((sum, row) => sum + rows[row]!, 0),
      'samples/s',
    );
  },
};

export const goodput: MetricDefinition = {
  name: 'goodput',
  summary: 'requests answered ok within the p99 latency target per second',
  compute: (window) => {
    const bound = window.p99LatencyNs;
    if (bound === undefined) return absent('/s', 'the scenario has no latency target');
    const { completedNs, dueNs } = window.records;
    const good = window.rows.reduce((sum, row) => sum + (completedNs[row]! - dueNs[row]! <= bound ? 1 : 0), 0);
    const whole = throughput.compute(window);
    return whole.value === null ? whole : { value: (whole.value * good) / window.rows.length, unit: '/s' };
  },
};

function completedRate(window: Window, count: number, unit: string): MetricValue {
  const { rows, scheduled } = window;
  const { completedNs } = window.records;
  const last = rows.at(-1);
  if (last === undefined) return absent(unit, 'no request was answered');
  if (!scheduled) {
    const end = rows.reduce((latest, row) => Math.max(latest, completedNs[row]!), 0);
    return end > 0 ? { value: count / (end / 1e9), unit } : absent(unit, 'no time passed');
  }
  const seconds = completedNs[last]! / 1e9;
  if (rows.length < 2 || !(seconds > 0)) return absent(unit, 'a rate needs two requests of a schedule');
  return { value: (count * (rows.length - 1)) / rows.length / seconds, unit };
}
