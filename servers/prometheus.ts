import { Counter, Gauge, Registry } from 'prom-client';
import type { HostedModel } from './hosted-model.js';
import type { ModelStatistics } from './protocol/index.js';

/**
 * The models' totals as Prometheus text, with Triton's metric names and its labels `model` and `version`.
 *
 * Everything is computed here, when somebody asks, from what the statistics have added up: nothing is counted twice, and the
 * request path knows nothing of Prometheus.
 * Source: Triton "Metrics".
 */
export async function metricsText(
  models: readonly Pick<HostedModel, 'name' | 'version' | 'statistics' | 'waiting'>[],
): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const counters = COUNTERS.map(([name, help]) => new Counter({ name, help, labelNames: LABELS, registers }));
  const waiting = new Gauge({
    name: 'nv_inference_pending_request_count',
    help: 'Instantaneous number of pending requests awaiting execution per model',
    labelNames: LABELS,
    registers,
  });
  for (const model of models) {
    const labels = { model: model.name, version: model.version };
    const statistics = model.statistics();
    COUNTERS.forEach(([, , total], i) => {
      counters[i]!.inc(labels, total(statistics));
    });
    waiting.set(labels, model.waiting());
  }
  return registry.metrics();
}

const LABELS = ['model', 'version'] as const;

/** Triton's name, what it counts, and its value. Durations are microseconds, summed over requests. */
const COUNTERS: readonly (readonly [name: string, help: string, total: (statistics: ModelStatistics) => number])[] = [
  ['nv_inference_request_success', 'Number of successful inference requests', (s) => s.inference_stats.success.count],
  ['nv_inference_request_failure', 'Number of failed inference requests', (s) => s.inference_stats.fail.count],
  ['nv_inference_count', 'Number of inferences performed (rows, not requests)', (s) => s.inference_count],
  ['nv_inference_exec_count', 'Number of model executions performed', (s) => s.execution_count],
  [
    'nv_inference_request_duration_us',
    'Cumulative inference request duration in microseconds',
    (s) => micro(s.inference_stats.success.ns),
  ],
  [
    'nv_inference_queue_duration_us',
    'Cumulative inference queuing duration in microseconds',
    (s) => micro(s.inference_stats.queue.ns),
  ],
  [
    'nv_inference_compute_input_duration_us',
    'Cumulative compute input duration in microseconds',
    (s) => micro(s.inference_stats.compute_input.ns),
  ],
  [
    'nv_inference_compute_infer_duration_us',
    'Cumulative compute inference duration in microseconds',
    (s) => micro(s.inference_stats.compute_infer.ns),
  ],
  [
    'nv_inference_compute_output_duration_us',
    'Cumulative inference compute output duration in microseconds',
    (s) => micro(s.inference_stats.compute_output.ns),
  ],
];

function micro(ns: number): number {
  return Math.round(ns / 1e3);
}
