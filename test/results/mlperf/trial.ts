import type { MlperfSettings, MlperfTrial } from '../../../results/mlperf/index.js';
import { OUTCOMES, RecordTable } from '../../../results/record.js';

export interface Sample {
  readonly due: number;
  readonly done: number;
  readonly query?: number;
  readonly issued?: number;
  readonly failed?: boolean;
}

/** A trial of these samples, times in ms; sample i of the library is asked for at i. */
export function trialOf(
  scenario: MlperfSettings['scenario'],
  samples: readonly Sample[],
  settings: Partial<MlperfSettings> = {},
): MlperfTrial {
  const records = new RecordTable(samples.length);
  records.length = samples.length;
  for (const [row, { due, done, query = row, issued = due, failed = false }] of samples.entries()) {
    records.sequence[row] = 10 + row;
    records.query[row] = query;
    records.sampleIndex[row] = row;
    records.rows[row] = 1;
    records.dueNs[row] = due * 1e6;
    records.issuedNs[row] = issued * 1e6;
    records.completedNs[row] = failed ? Number.NaN : done * 1e6;
    records.outcome[row] = OUTCOMES.indexOf(failed ? 'failed' : 'ok');
  }
  return {
    settings: { ...DEFAULTS, scenario, ...settings },
    sutName: 'serial over rest',
    writer: 'servemark',
    startedAt: '2026-11-23T21:40:05.000Z',
    records,
    verdict: { state: 'VALID', findings: [] },
    pid: 7,
  };
}

const DEFAULTS: MlperfSettings = {
  scenario: 'Server',
  mode: 'PerformanceOnly',
  samplesPerQuery: 1,
  targetQps: 100,
  targetLatencyNs: 10e6,
  targetPercentile: 0.99,
  maxAsyncQueries: 0,
  minDurationMs: 40,
  maxDurationMs: 0,
  minQueryCount: 5,
  maxQueryCount: 0,
  seeds: { schedule: '16159082839903944936', samples: '2747215439041700203' },
  library: { name: 'fashion-mnist', totalSampleCount: 10_000, performanceSampleCount: 1024 },
};
