import { countAbove, earlyStoppingServer, minQueries, percentileFloor } from '../stats/index.js';
import { formatDuration } from '../units.js';
import type { GateDefinition, GateFinding, GateInput } from './contract.js';
import { count, percentileName } from './text.js';

/** MLPerf's rule, confidence 0.99. Source: LoadGen `early_stopping.cc`. */
export const earlyStopping: GateDefinition = {
  name: 'early-stopping',
  summary: 'enough queries that the percentile of the load type holds with confidence 0.99',
  check(input) {
    const p = input.load.primary.percentile;
    if (p === null) return undefined;
    return input.load.latencyBoundNs === null ? estimable(input, p) : provable(input, p, input.load.latencyBoundNs);
  },
};

/** Single- and multi-stream: is there an estimate at all? */
function estimable({ load, window }: GateInput, p: number): GateFinding | undefined {
  const n = window.sortedLatencyNs.length;
  const needs = percentileFloor(p);
  const metric = load.primary.metric;
  if ((metric !== 'p90Latency' && metric !== 'p99Latency') || n >= needs) return undefined;
  return {
    severity: 'invalid',
    message: `${count(n)} answered queries give no early-stopping estimate of the ${percentileName(p)} (needs ${count(needs)}).`,
    advice: `Raise the duration of the load until it issues ${count(needs)} queries${p > 0.9 ? ', or judge a lower percentile (percentile: p90)' : ''}.`,
  };
}

/** Server: do so few over-latency queries of so many prove the bound? What was not answered was over any bound. */
function provable({ load, window, counts }: GateInput, p: number, bound: number): GateFinding | undefined {
  const n = counts.issued;
  const over = countAbove(window.sortedLatencyNs, bound) + n - window.sortedLatencyNs.length;
  // Fewer answers than the floor, or a percentile over the bound: other gates tell.
  if (n < percentileFloor(p) || n - over <= Math.floor(n * p)) return undefined;
  const { pass, more } = earlyStoppingServer(n, over, p);
  if (pass) return undefined;
  const seconds = load.ratePerSecond
    ? ` (about ${formatDuration((more / load.ratePerSecond) * 1e9)} at this rate)`
    : '';
  return {
    severity: 'invalid',
    message: `${count(over)} of ${count(n)} queries took longer than ${formatDuration(bound)}: with so many, ${count(minQueries(p, over))} are needed to hold the ${percentileName(p)} with confidence 0.99.`,
    advice: `Run longer: ${count(more)} more queries within the bound would do${seconds}.`,
  };
}
