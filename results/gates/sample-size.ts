import { percentileFloor } from '../stats/index.js';
import type { GateDefinition, GateInput } from './contract.js';
import { count, percentileName } from './text.js';

/** Single- and multi-stream are judged by the early-stopping gate, which asks for the same number. */
export const sampleSize: GateDefinition = {
  name: 'sample-size',
  summary: 'enough requests are answered for the percentile that the load or the target asks for',
  check(input) {
    const asked = askedPercentile(input);
    if (asked === null) return undefined;
    const { load, window } = input;
    const n = window.sortedLatencyNs.length;
    const needs = percentileFloor(asked);
    if (n >= needs) return undefined;
    const name = percentileName(asked);
    return {
      severity: 'invalid',
      message: `${count(n)} answered requests are too few for a ${name} (needs ${count(needs)}).`,
      advice: load.ratePerSecond
        ? `Raise the duration to at least ${Math.ceil((needs * 1.1) / load.ratePerSecond)}s, or the rate; or judge a lower percentile (percentile: p90).`
        : 'Raise the duration, or judge a lower percentile (percentile: p90).',
    };
  },
};

function askedPercentile({ trial, load, targets }: GateInput): number | null {
  if (trial.loadType === 'probe' || trial.loadType === 'accuracy') return null;
  if (load.primary.metric === 'p90Latency' || load.primary.metric === 'p99Latency' || load.latenessExpected)
    return null;
  return load.primary.percentile ?? (targets.p99LatencyNs === undefined ? null : 0.99);
}
