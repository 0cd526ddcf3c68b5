import type { MetricDefinition } from './contract.js';
import { errorRate } from './error-rate.js';
import { p50Latency, p90Latency, p95Latency, p99Latency, p999Latency } from './latency.js';
import { meanBatch } from './mean-batch.js';
import { offeredRate } from './offered-rate.js';
import { goodput, sampleThroughput, throughput } from './throughput.js';

export const metrics = [
  throughput,
  sampleThroughput,
  goodput,
  offeredRate,
  errorRate,
  p50Latency,
  p90Latency,
  p95Latency,
  p99Latency,
  p999Latency,
  meanBatch,
] as const satisfies readonly MetricDefinition[];

/** The metric of that name, or undefined. */
export function metric(name: string): MetricDefinition | undefined {
  return metrics.find((one) => one.name === name);
}
