import type { RecordTable } from '../record.js';
import type { Verdict } from '../summary.js';
import { fixed, general, whole } from './numbers.js';

/** What a trial was asked to do, in LoadGen's terms. */
export interface MlperfSettings {
  readonly scenario: 'SingleStream' | 'MultiStream' | 'Server' | 'Offline';
  readonly mode: 'PerformanceOnly' | 'AccuracyOnly';
  readonly samplesPerQuery: number;
  /** Server: the rate; offline: samples expected per second; streams: 1 / expected latency. */
  readonly targetQps: number;
  /** Server only; 0 elsewhere. */
  readonly targetLatencyNs: number;
  /** 0 … 1 */
  readonly targetPercentile: number;
  /** 0 = any number. */
  readonly maxAsyncQueries: number;
  readonly minDurationMs: number;
  /** 0 = none. */
  readonly maxDurationMs: number;
  readonly minQueryCount: number;
  readonly maxQueryCount: number;
  /** 64-bit integers as decimal text. */
  readonly seeds: { readonly schedule: string; readonly samples: string; readonly library?: string | undefined };
  readonly library: {
    readonly name: string;
    readonly totalSampleCount: number;
    readonly performanceSampleCount: number;
  };
}

/** One completed trial, as the logs tell it. */
export interface MlperfTrial {
  readonly settings: MlperfSettings;
  readonly sutName: string;
  /** Name and version of what wrote the logs. */
  readonly writer: string;
  /** Wall clock of t = 0, ISO. */
  readonly startedAt: string;
  readonly records: RecordTable;
  readonly verdict: Verdict;
  /** Of the process that the lines name. */
  readonly pid: number;
}

/** A key of the detail log and its value as JSON text. */
export type Entry = readonly [key: string, json: string];

/** Of offline the one query holds all samples. */
export function minSampleCount({ minQueryCount, samplesPerQuery }: MlperfSettings): number {
  return minQueryCount * samplesPerQuery;
}

/** What the user asked for. Settings that servemark does not have stand at what they amount to: off. */
export function requestedEntries(settings: MlperfSettings): Entry[] {
  const { seeds } = settings;
  return [
    ['requested_scenario', JSON.stringify(settings.scenario)],
    ['requested_test_mode', JSON.stringify(settings.mode)],
    ...SCENARIO_ENTRIES[settings.scenario](settings),
    ['requested_min_duration_ms', whole(settings.minDurationMs)],
    ['requested_max_duration_ms', whole(settings.maxDurationMs)],
    [
      'requested_min_query_count',
      whole(settings.scenario === 'Offline' ? minSampleCount(settings) : settings.minQueryCount),
    ],
    ['requested_max_query_count', whole(settings.maxQueryCount)],
    ...shared('requested', seeds),
    ['requested_performance_sample_count_override', '0'],
    ['requested_accuracy_sample_count_override', '0'],
    ['requested_sample_concatenate_permutation', 'false'],
  ];
}

/** What held in the end. */
export function effectiveEntries(settings: MlperfSettings): Entry[] {
  const { library, seeds } = settings;
  return [
    ['effective_scenario', JSON.stringify(settings.scenario)],
    ['effective_test_mode', JSON.stringify(settings.mode)],
    ['effective_samples_per_query', whole(settings.samplesPerQuery)],
    ['effective_target_qps', fixed(settings.targetQps)],
    ['effective_target_latency_ns', whole(settings.targetLatencyNs)],
    ['effective_target_latency_percentile', fixed(settings.targetPercentile)],
    ['effective_max_async_queries', whole(settings.maxAsyncQueries)],
    ['effective_target_duration_ms', whole(settings.scenario === 'Offline' ? 0 : settings.minDurationMs)],
    ['effective_min_duration_ms', whole(settings.minDurationMs)],
    ['effective_max_duration_ms', whole(settings.maxDurationMs)],
    ['effective_min_query_count', whole(settings.minQueryCount)],
    ['effective_max_query_count', whole(settings.maxQueryCount)],
    ['effective_min_sample_count', whole(minSampleCount(settings))],
    ...shared('effective', seeds),
    ['effective_performance_sample_count', whole(library.performanceSampleCount)],
    ['effective_accuracy_sample_count', whole(library.totalSampleCount)],
    ['effective_sample_concatenate_permutation', 'false'],
  ];
}

/** The end of the summary log. */
export function parameterLines(settings: MlperfSettings): string[] {
  const { library, seeds } = settings;
  return [
    `samples_per_query : ${whole(settings.samplesPerQuery)}`,
    `target_qps : ${general(settings.targetQps)}`,
    `target_latency (ns): ${whole(settings.targetLatencyNs)}`,
    `max_async_queries : ${whole(settings.maxAsyncQueries)}`,
    `min_duration (ms): ${whole(settings.minDurationMs)}`,
    `max_duration (ms): ${whole(settings.maxDurationMs)}`,
    `min_query_count : ${whole(settings.minQueryCount)}`,
    `max_query_count : ${whole(settings.maxQueryCount)}`,
    ...shared('', seeds).map(([key, value]) => `${key.slice(1)} : ${value === 'false' ? '0' : general0(value)}`),
    `performance_sample_count : ${whole(library.performanceSampleCount)}`,
    `accuracy_sample_count : ${whole(library.totalSampleCount)}`,
  ];
}

const SCENARIO_ENTRIES: Readonly<Record<MlperfSettings['scenario'], (settings: MlperfSettings) => Entry[]>> = {
  SingleStream: ({ targetQps, targetPercentile }) => [
    ['requested_single_stream_expected_latency_ns', whole(1e9 / targetQps)],
    ['requested_single_stream_target_latency_percentile', fixed(targetPercentile)],
  ],
  MultiStream: ({ targetQps, targetPercentile, samplesPerQuery }) => [
    ['requested_multi_stream_expected_latency_ns', whole(1e9 / targetQps)],
    ['requested_multi_stream_target_latency_percentile', fixed(targetPercentile)],
    ['requested_multi_stream_samples_per_query', whole(samplesPerQuery)],
  ],
  Server: ({ targetQps, targetLatencyNs, targetPercentile, maxAsyncQueries }) => [
    ['requested_server_target_qps', fixed(targetQps)],
    ['requested_server_target_latency_ns', whole(targetLatencyNs)],
    ['requested_server_target_latency_percentile', fixed(targetPercentile)],
    ['requested_server_coalesce_queries', 'false'],
    ['requested_server_max_async_queries', whole(maxAsyncQueries)],
    ['requested_server_num_issue_query_threads', '0'],
  ],
  Offline: ({ targetQps }) => [['requested_offline_expected_qps', fixed(targetQps)]],
};

/** What both lists and the summary have in the same order. */
function shared(prefix: string, seeds: MlperfSettings['seeds']): Entry[] {
  return [
    [`${prefix}_qsl_rng_seed`, seeds.library ?? '0'],
    [`${prefix}_sample_index_rng_seed`, seeds.samples],
    [`${prefix}_schedule_rng_seed`, seeds.schedule],
    [`${prefix}_accuracy_log_rng_seed`, '0'],
    [`${prefix}_accuracy_log_probability`, fixed(0)],
    [`${prefix}_accuracy_log_sampling_target`, '0'],
    [`${prefix}_print_timestamps`, 'false'],
    [`${prefix}_performance_issue_unique`, 'false'],
    [`${prefix}_performance_issue_same`, 'false'],
    [`${prefix}_performance_issue_same_index`, '0'],
  ];
}

/** `0.000000` is a plain 0 in the summary; seeds outgrow a double and stay text. */
function general0(json: string): string {
  return json.includes('.') ? general(Number(json)) : json;
}
