import { percentile } from '../stats/index.js';
import { fixed, whole } from './numbers.js';
import { outcomeOf, PRINTED } from './outcome.js';
import type { Performance } from './performance.js';
import { type Entry, effectiveEntries, type MlperfTrial, requestedEntries } from './settings.js';
import { rate } from './summary-log.js';

/**
 * `mlperf_log_detail.txt`: a line an entry, `:::MLLOG {json}`. `endNs` is when the last answer came: what is known before the
 * load has the time 0. Of an accuracy trial (no `performance`) there are no results.
 */
export function detailLog(trial: MlperfTrial, performance: Performance | undefined, endNs: number): string {
  const { settings } = trial;
  const before: Entry[] = [
    ['loadgen_version', JSON.stringify(trial.writer)],
    ['test_datetime', JSON.stringify(trial.startedAt)],
    ['sut_name', JSON.stringify(trial.sutName)],
    ['qsl_name', JSON.stringify(settings.library.name)],
    ['qsl_reported_total_count', whole(settings.library.totalSampleCount)],
    ['qsl_reported_performance_count', whole(settings.library.performanceSampleCount)],
    ...requestedEntries(settings),
    ...effectiveEntries(settings),
    ['generic_message', JSON.stringify(`Starting ${performance ? 'performance' : 'accuracy'} mode`)],
    ['power_begin', JSON.stringify(powerTime(trial.startedAt, 0))],
  ];
  const errors = performance ? outcomeOf(trial, performance).errors : [];
  const after: Entry[] = [
    ['power_end', JSON.stringify(powerTime(trial.startedAt, endNs))],
    ...(performance ? resultEntries(trial, performance) : []),
    ['num_errors', String(errors.length)],
  ];
  return [
    ...before.map((entry) => line(entry, 0, trial.pid, false)),
    ...errors.map((error) => line(['error_runtime', JSON.stringify(error)], endNs, trial.pid, true)),
    ...after.map((entry) => line(entry, endNs, trial.pid, false)),
    '',
  ].join('\n');
}

function resultEntries(trial: MlperfTrial, performance: Performance): Entry[] {
  const { rules } = performance;
  const { valid, reasons } = outcomeOf(trial, performance);
  const server = trial.settings.scenario === 'Server';
  return [
    ['result_validity', valid ? '"VALID"' : '"INVALID"'],
    ...(server ? [['result_perf_constraints_met', String(rules.constraint)] as const] : []),
    ['result_min_duration_met', String(rules.minDuration)],
    ['result_min_queries_met', String(rules.minQueries)],
    ['early_stopping_met', String(rules.earlyStopping)],
    ...(valid ? [] : [['result_invalid_reason', JSON.stringify(reasons.join(' '))] as const]),
    ['early_stopping_result', JSON.stringify(rules.earlyStoppingText.replaceAll('\n', ' '))],
    ['result_query_count', whole(performance.queryCount)],
    ...(server ? [['result_overlatency_query_count', whole(performance.overLatency)] as const] : []),
    ...scenarioEntries(trial, performance),
    ['result_min_latency_ns', whole(performance.sampleNs[0] ?? Number.NaN)],
    ['result_max_latency_ns', whole(performance.sampleNs.at(-1) ?? Number.NaN)],
    ['result_mean_latency_ns', whole(performance.meanSampleNs)],
    ...PRINTED.map(
      ({ p, name }): Entry => [`result_${name}_percentile_latency_ns`, whole(percentile(performance.sampleNs, p))],
    ),
  ];
}

function scenarioEntries({ settings }: MlperfTrial, performance: Performance): Entry[] {
  const { sampleCount, queryNs, rules } = performance;
  switch (settings.scenario) {
    case 'SingleStream':
      return [
        ['result_qps_with_loadgen_overhead', fixed(rate(sampleCount - 1, performance.lastIssuedNs))],
        ['result_qps_without_loadgen_overhead', fixed(1e9 / performance.meanSampleNs)],
        ['early_stopping_latency_ss', whole(rules.singleStreamNs)],
        ['early_stopping_latency_ms', whole(rules.multiStreamNs)],
      ];
    case 'MultiStream':
      return [
        ['result_min_query_latency_ns', whole(queryNs[0] ?? Number.NaN)],
        ['result_max_query_latency_ns', whole(queryNs.at(-1) ?? Number.NaN)],
        ['result_mean_query_latency_ns', whole(performance.meanQueryNs)],
        ...PRINTED.map(
          ({ p, name }): Entry => [`result_${name}_percentile_per_query_latency_ns`, whole(percentile(queryNs, p))],
        ),
        ['early_stopping_latency_ms', whole(rules.multiStreamNs)],
      ];
    case 'Server':
      return [
        ['result_scheduled_samples_per_sec', fixed(rate(sampleCount - 1, performance.lastScheduledNs))],
        ['result_completed_samples_per_sec', fixed(rate(sampleCount - 1, performance.lastDoneNs))],
      ];
    case 'Offline':
      return [['result_samples_per_second', fixed(rate(sampleCount, performance.sampleNs.at(-1) ?? 0))]];
  }
}

function line([key, json]: Entry, timeNs: number, pid: number, isError: boolean): string {
  const metadata = `{"is_error": ${isError}, "is_warning": false, "file": "servemark", "line_no": 0, "pid": ${pid}, "tid": ${pid}}`;
  return `:::MLLOG {"key": ${JSON.stringify(key)}, "value": ${json}, "time_ms": ${(timeNs / 1e6).toFixed(6)}, "namespace": "mlperf::logging", "event_type": "POINT_IN_TIME", "metadata": ${metadata}}`;
}

/** `11-23-2026 21:40:05.123`, UTC: the form that power logs are matched by. */
function powerTime(startedAt: string, afterNs: number): string {
  const iso = new Date(Date.parse(startedAt) + afterNs / 1e6).toISOString();
  return `${iso.slice(5, 7)}-${iso.slice(8, 10)}-${iso.slice(0, 4)} ${iso.slice(11, 23)}`;
}
