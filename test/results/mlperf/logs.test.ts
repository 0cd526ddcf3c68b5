import { describe, expect, test } from 'vitest';
import { accuracyLog, detailLog, performanceOf, summaryLog, traceLog } from '../../../results/mlperf/index.js';
import type { MlperfTrial } from '../../../results/mlperf/settings.js';
import { readDetailLog } from './reader.js';
import { type Sample, trialOf } from './trial.js';

/** Due every 10 ms, answered 2 ms later. */
const steady = (count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => ({ due: 10 * i, done: 10 * i + 2 }));
const read = (trial: MlperfTrial) => readDetailLog(detailLog(trial, performanceOf(trial), 1e9));

describe('a server trial', () => {
  test('of 501 queries due every 10 ms: 500 gaps in 5 s are 100 a second scheduled, 500 / 5.002 s completed', () => {
    const log = read(trialOf('Server', steady(501), { minDurationMs: 5000 }));
    expect(log.value('result_scheduled_samples_per_sec')).toBe(100);
    expect(log.value('result_completed_samples_per_sec')).toBeCloseTo(500 / 5.002, 6);
    expect(log.value('result_99.00_percentile_latency_ns')).toBe(2e6);
    expect(log.value('result_query_count')).toBe(501);
    expect(log.value('result_overlatency_query_count')).toBe(0);
    expect(log.value('early_stopping_met')).toBe(true);
    expect(log.value('result_validity')).toBe('VALID');
    expect([log.errors(), log.warnings()]).toEqual([0, 0]);
  });

  test('names seeds beyond 2^53 to the last digit', () => {
    const text = detailLog(trialOf('Server', steady(5)), undefined, 0);
    expect(text).toContain('"key": "effective_schedule_rng_seed", "value": 16159082839903944936,');
  });

  test('with the percentile at sorted[⌊n·p⌋]: of latencies 1 … 10 ms the 50th is 6 ms, the 90th 10 ms', () => {
    const samples = Array.from({ length: 10 }, (_, i) => ({ due: 10 * i, done: 10 * i + i + 1 }));
    const log = read(trialOf('Server', samples));
    expect(log.value('result_50.00_percentile_latency_ns')).toBe(6e6);
    expect(log.value('result_90.00_percentile_latency_ns')).toBe(10e6);
    expect(log.value('result_mean_latency_ns')).toBe(5.5e6);
  });

  test('over its bound, too short, or refused by a gate of ours is INVALID, with every reason', () => {
    const slow = trialOf('Server', [...steady(5), { due: 50, done: 61 }], { minDurationMs: 60, minQueryCount: 7 });
    const finding = { rule: 'clock', severity: 'invalid', message: 'The clock jumped.', advice: '' } as const;
    const log = read({ ...slow, verdict: { state: 'INVALID', findings: [finding] } });
    expect(log.value('result_validity')).toBe('INVALID');
    expect(log.value('result_perf_constraints_met')).toBe(false);
    expect(log.value('result_min_duration_met')).toBe(false);
    expect(log.value('result_min_queries_met')).toBe(false);
    expect(log.value('result_invalid_reason')).toBe(
      'Reduce target QPS to improve latency. The minimum duration was not reached. The minimum number of queries or samples was not reached. Early stopping needs more queries. The clock jumped.',
    );
  });

  test('with an answer missing has an error, as LoadGen has for incomplete samples', () => {
    const log = read(trialOf('Server', [...steady(500), { due: 5000, done: 0, failed: true }]));
    expect(log.errors()).toBe(1);
    expect(log.messages.filter(({ metadata }) => metadata.is_error).map(({ key }) => key)).toEqual(['error_runtime']);
    expect(log.value('result_overlatency_query_count')).toBe(1);
    expect(log.value('result_validity')).toBe('INVALID');
  });
});

describe('the other scenarios', () => {
  test('single-stream: 64 queries give the 90th percentile’s estimate with one discarded from none, the last but one', () => {
    const samples = Array.from({ length: 64 }, (_, i) => ({ due: 100 * i, done: 100 * i + i + 1 }));
    const log = read(trialOf('SingleStream', samples, { targetPercentile: 0.9, minDurationMs: 6300 }));
    expect(log.value('early_stopping_latency_ss')).toBe(64e6);
    expect(log.value('early_stopping_latency_ms')).toBe(0);
    expect(log.value('result_qps_with_loadgen_overhead')).toBeCloseTo(10, 9);
    expect(log.value('result_min_duration_met')).toBe(true);
  });

  test('multi-stream: a query is as slow as its slowest sample', () => {
    const samples = Array.from({ length: 8 }, (_, i) => ({
      due: 10 * (i >> 2),
      done: 10 * (i >> 2) + (i % 4) + 1,
      query: i >> 2,
    }));
    const log = read(trialOf('MultiStream', samples, { samplesPerQuery: 4, minQueryCount: 2 }));
    expect(log.value('result_query_count')).toBe(2);
    expect(log.value('result_mean_query_latency_ns')).toBe(4e6);
    expect(log.value('result_mean_latency_ns')).toBe(2.5e6);
    expect(log.value('early_stopping_met')).toBe(false);
  });

  test('offline: samples per second are samples over the longest latency, of one query', () => {
    const samples = Array.from({ length: 100 }, (_, i) => ({ due: 0, done: 5 * (i + 1), query: 0 }));
    const trial = trialOf('Offline', samples, { samplesPerQuery: 100, minQueryCount: 1, minDurationMs: 500 });
    const log = read(trial);
    expect(log.value('result_samples_per_second')).toBe(200);
    expect(log.value('result_validity')).toBe('VALID');
    expect(log.value('effective_min_sample_count')).toBe(100);
    expect(log.value('requested_min_query_count')).toBe(100);
    expect(summaryLog(trial, performanceOf(trial))).toContain('\nSamples per second: 200\nResult is : VALID\n');
  });

  test('accuracy mode has settings and no results', () => {
    const trial = trialOf('Offline', steady(3), { mode: 'AccuracyOnly' });
    const log = readDetailLog(detailLog(trial, undefined, 1e9));
    expect(log.value('effective_test_mode')).toBe('AccuracyOnly');
    expect(log.messages.filter(({ key }) => key.startsWith('result_'))).toEqual([]);
    expect(summaryLog(trial, undefined)).toBe(
      '\nNo warnings encountered during test.\n\nNo errors encountered during test.\n',
    );
  });
});

test('every line of the detail log has key, value, time and metadata; results come at the end', () => {
  const { messages } = read(trialOf('Server', steady(5)));
  for (const message of messages)
    expect(Object.keys(message)).toEqual(['key', 'value', 'time_ms', 'namespace', 'event_type', 'metadata']);
  expect(messages.find(({ key }) => key === 'power_begin')).toMatchObject({
    value: '11-23-2026 21:40:05.000',
    time_ms: 0,
  });
  expect(messages.find(({ key }) => key === 'power_end')).toMatchObject({
    value: '11-23-2026 21:40:06.000',
    time_ms: 1000,
  });
  expect(messages.at(-1)).toMatchObject({ key: 'num_errors', value: 0 });
});

test('the accuracy log: 9 as float32 is 0x41100000, little-endian; what has no answer is not there', () => {
  const log = accuracyLog(trialOf('Offline', steady(3)), Float32Array.of(9, Number.NaN, 0));
  expect(JSON.parse(log)).toEqual([
    { seq_id: 0, qsl_idx: 0, data: '00001041' },
    { seq_id: 2, qsl_idx: 2, data: '00000000' },
  ]);
});

test('the trace is JSON that Chrome reads: a span a sample, in µs, a counter for server loads; the rest is counted', () => {
  const trace = JSON.parse(traceLog(trialOf('Server', [{ due: 10, issued: 11, done: 13 }, ...steady(2)]), 1)) as {
    traceEvents: unknown[];
    otherData: { samplesLeftOut: number };
  };
  const args = { sample_seq: 0, query_seq: 0, sample_idx: 0, issue_start_ns: 1e6, complete_ns: 3e6 };
  expect(trace.traceEvents).toEqual([
    { name: 'Latency', ph: 'C', pid: 7, ts: 10_000, args: { issue_delay: 1e6, issue_to_done: 2e6 } },
    { name: 'Sample', cat: 'default', pid: 7, id: 0, ph: 'b', ts: 10_000, args },
    { name: 'Sample', cat: 'default', pid: 7, id: 0, ph: 'e', ts: 13_000 },
  ]);
  expect(trace.otherData.samplesLeftOut).toBe(2);
});

test('the summary of five queries, in full', async () => {
  const trial = trialOf('Server', steady(5));
  await expect(summaryLog(trial, performanceOf(trial))).toMatchFileSnapshot('../../golden/mlperf-log-summary.txt');
  await expect(detailLog(trial, performanceOf(trial), 42e6)).toMatchFileSnapshot('../../golden/mlperf-log-detail.txt');
});
