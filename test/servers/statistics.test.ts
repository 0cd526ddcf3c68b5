import { expect, test } from 'vitest';
import { metricsText } from '../../servers/prometheus.js';
import { emptyTimings } from '../../servers/protocol/timings.js';
import { StatisticsCollector, sumOfStatistics } from '../../servers/statistics.js';

/** Two requests of 1 and 3 rows in one execution of 4, one of 2 rows alone, one failure. */
function collected(): StatisticsCollector {
  const statistics = new StatisticsCollector('m', '1', () => 1_700_000_000_000);
  const timings = { ...emptyTimings(), queueNs: 1000, computeInputNs: 200, computeInferNs: 3000, computeOutputNs: 400 };
  statistics.requestSucceeded(1, { ...timings, batchSize: 4 });
  statistics.requestSucceeded(3, { ...timings, batchSize: 4 });
  statistics.executionEnded(4, 200, 3000, 400);
  statistics.requestSucceeded(2, { ...timings, batchSize: 2, queueNs: 0.4 });
  statistics.executionEnded(2, 200, 3000, 400);
  statistics.requestFailed(7000);
  return statistics;
}

test('Rows, requests and executions are counted apart', () => {
  const { inference_count, execution_count, last_inference, inference_stats } = collected().snapshot();
  expect({ inference_count, execution_count, last_inference }).toEqual({
    inference_count: 6,
    execution_count: 2,
    last_inference: 1_700_000_000_000,
  });
  expect(inference_stats.success).toEqual({ count: 3, ns: 4600 + 4600 + 3600 });
  expect(inference_stats.queue).toEqual({ count: 3, ns: 2000 });
  expect(inference_stats.fail).toEqual({ count: 1, ns: 7000 });
});

test('Success is the sum of queue and compute, executions the sum of the batches, inferences their rows', () => {
  const { inference_stats: stats, batch_stats: batches, ...totals } = collected().snapshot();
  const parts = [stats.queue, stats.compute_input, stats.compute_infer, stats.compute_output];
  expect(stats.success.ns).toBe(parts.reduce((sum, part) => sum + part.ns, 0));
  expect(batches.map(({ batch_size }) => batch_size)).toEqual([2, 4]);
  expect(batches.reduce((sum, batch) => sum + batch.compute_infer.count, 0)).toBe(totals.execution_count);
  expect(batches.reduce((sum, batch) => sum + batch.batch_size * batch.compute_infer.count, 0)).toBe(
    totals.inference_count,
  );
});

test('An answer without an execution is a cache hit, no inference', () => {
  const statistics = new StatisticsCollector('m', '1');
  statistics.requestSucceeded(1, { ...emptyTimings(), queueNs: 5, computeOutputNs: 7 });
  const snapshot = statistics.snapshot();
  expect(snapshot.inference_count).toBe(0);
  expect(snapshot.inference_stats.cache_hit).toEqual({ count: 1, ns: 7 });
  expect(snapshot.inference_stats.compute_infer.count).toBe(0);
});

test('Prometheus sees Triton’s names, in microseconds', async () => {
  const text = await metricsText([
    { name: 'm', version: '1', statistics: () => collected().snapshot(), waiting: () => 9 },
  ]);
  expect(text).toContain('nv_inference_request_success{model="m",version="1"} 3');
  expect(text).toContain('nv_inference_request_failure{model="m",version="1"} 1');
  expect(text).toContain('nv_inference_count{model="m",version="1"} 6');
  expect(text).toContain('nv_inference_exec_count{model="m",version="1"} 2');
  expect(text).toContain('nv_inference_queue_duration_us{model="m",version="1"} 2');
  expect(text).toContain('nv_inference_compute_infer_duration_us{model="m",version="1"} 9');
  expect(text).toContain('nv_inference_pending_request_count{model="m",version="1"} 9');
  expect(text).toContain('# TYPE nv_inference_count counter');
});

test('Of several models counts add up, batch by batch', () => {
  const other = new StatisticsCollector('n', '1', () => 1_800_000_000_000);
  other.requestSucceeded(4, { ...emptyTimings(), computeInferNs: 100, batchSize: 4 });
  other.executionEnded(4, 1, 100, 1);
  const sum = sumOfStatistics([collected().snapshot(), other.snapshot()])!;
  expect([sum.inference_count, sum.execution_count, sum.last_inference]).toEqual([10, 3, 1_800_000_000_000]);
  expect(sum.inference_stats.success.count).toBe(4);
  expect(sum.batch_stats.map((batch) => [batch.batch_size, batch.compute_infer])).toEqual([
    [2, { count: 1, ns: 3000 }],
    [4, { count: 2, ns: 3100 }],
  ]);
  expect(sumOfStatistics([])).toBeUndefined();
});
