import { quantile } from '../stats/index.js';
import type { MetricDefinition } from './contract.js';

/** Percentiles of completed − due of ok requests, each below its floor absent (see stats/early-stopping.ts). */
export const p50Latency = latencyPercentile('p50Latency', 0.5);
export const p90Latency = latencyPercentile('p90Latency', 0.9);
export const p95Latency = latencyPercentile('p95Latency', 0.95);
export const p99Latency = latencyPercentile('p99Latency', 0.99);
export const p999Latency = latencyPercentile('p999Latency', 0.999);

function latencyPercentile(name: string, p: number): MetricDefinition {
  return {
    name,
    summary: `${p * 100} % of the ok requests were answered within this time after they were due`,
    compute: ({ sortedLatencyNs }) => ({ ...quantile(sortedLatencyNs, p), unit: 'ns' }),
  };
}
