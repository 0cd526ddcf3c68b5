import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDetailLog } from '../results/mlperf/reader.js';
import { servemark } from './cli.js';
import { onlyRun, readJson, scenarioFile, trialFiles, workFolder } from './folders.js';

const folder = workFolder('mlperf');

test('a run in an MLPerf preset leaves LoadGen’s files in every trial, and the predictions agree with the summary', async () => {
  const file = scenarioFile(
    folder,
    'mlperf',
    `schema: 1
question: Does a log reader take it?
preset: mlperf-short
systems: { one: { strategy: triton-dynamic, maxBatchSize: 32 } }
loads: { alone: { type: single-stream, duration: 300ms, minQueries: 64 } }
accuracy: true
warmUp: 50ms
`,
  );
  const { code, stderr } = await servemark(['run', file, '--out', join(folder, 'out')]);
  expect(code, stderr).toBe(0);
  const run = onlyRun(join(folder, 'out'))!;
  const logs = ['mlperf_log_detail.txt', 'mlperf_log_summary.txt', 'mlperf_log_trace.json'];
  const [accuracy, alone] = ['one.accuracy.rest-binary.r1', 'one.alone.rest-binary.r1'];
  expect(trialFiles(run)).toEqual({
    [accuracy]: ['mlperf_log_accuracy.json', ...logs, 'outputs.f32', 'readings.arrow', 'records.arrow', 'summary.json'],
    [alone]: [...logs, 'readings.arrow', 'records.arrow', 'summary.json'],
  });
  const text = (trial: string, name: string) => readFileSync(join(run, 'trials', trial, name), 'utf8');

  const log = readDetailLog(text(alone, 'mlperf_log_detail.txt'));
  const summary = readJson(run, 'trials', alone, 'summary.json') as unknown as {
    latencyNs: { count: number; max: number };
  };
  expect(log.value('effective_scenario')).toBe('SingleStream');
  expect(log.value('effective_min_duration_ms')).toBe(300);
  expect(log.value('qsl_reported_total_count')).toBe(10_000);
  expect(log.value('result_query_count')).toBe(summary.latencyNs.count);
  expect(log.value('result_max_latency_ns')).toBe(Math.round(summary.latencyNs.max));

  const entries = JSON.parse(text(accuracy, 'mlperf_log_accuracy.json')) as { qsl_idx: number; data: string }[];
  expect(new Set(entries.map((entry) => entry.qsl_idx)).size).toBe(10_000);
  const classes = entries.map(({ data }) => Buffer.from(data, 'hex').readFloatLE());
  expect(classes.every((value) => Number.isInteger(value) && value >= 0 && value < 10)).toBe(true);
  expect(text(accuracy, 'mlperf_log_summary.txt')).toContain('No errors encountered');
}, 90_000);
