import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DriveResult } from '../clients/job.js';
import { type LoadPlan, loadNamed, PRESETS } from '../clients/loads/index.js';
import type { LoadFacts, TrialFacts } from '../results/facts.js';
import { writeFileAtomic } from '../results/files.js';
import {
  accuracyLog,
  detailLog,
  type MlperfSettings,
  type MlperfTrial,
  performanceOf,
  summaryLog,
  traceLog,
} from '../results/mlperf/index.js';
import { version } from '../results/package.js';
import type { RunStore } from '../results/store.js';
import type { TrialSummary } from '../results/summary.js';
import { argmax } from '../servers/protocol/index.js';
import type { Preset, TrialSpec } from './contract.js';

/** What a trial left behind. */
export interface MeasuredTrial {
  readonly facts: TrialFacts;
  readonly drive: DriveResult;
  readonly plan: LoadPlan;
  /** Rows of float32 in order of the samples; accuracy trials only. */
  readonly outputsPath: string | undefined;
}

interface ResolvedLoad {
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const SCENARIOS: Readonly<Record<string, MlperfSettings['scenario']>> = {
  'single-stream': 'SingleStream',
  'multi-stream': 'MultiStream',
  server: 'Server',
  offline: 'Offline',
};

/** Under MLPerf's presets, its four load types and accuracy trials; not probes, nor what virtual time computed. */
export function hasMlperfLogs({ kind, load, identity }: TrialSpec, preset: Preset): boolean {
  if (preset === 'quick' || kind === 'probe' || identity.simulated) return false;
  return kind === 'accuracy' || SCENARIOS[load.type] !== undefined;
}

/** Writes the files that LoadGen would have left into the trial's folder. Throws UserError where the disk refuses. */
export function writeMlperfLogs(
  spec: TrialSpec,
  load: ResolvedLoad,
  preset: Preset,
  measured: MeasuredTrial,
  summary: TrialSummary,
  store: RunStore,
): void {
  const folder = store.trialFolder(spec.identity.id);
  const { drive, facts, outputsPath } = measured;
  const trial: MlperfTrial = {
    settings: settingsOf(spec, load, preset, measured),
    sutName: `${spec.identity.system} over ${spec.identity.transport}`,
    writer: `servemark ${version}, rules and formats of LoadGen 6.0`,
    startedAt: drive.startedAt,
    records: facts.records,
    verdict: summary.verdict,
    pid: process.pid,
  };
  const performance = spec.kind === 'accuracy' ? undefined : performanceOf(trial);
  const write = (name: string, text: string) =>
    writeFileAtomic(join(folder, `mlperf_log_${name}`), text, 'a log of this trial');
  write('summary.txt', summaryLog(trial, performance));
  write('detail.txt', detailLog(trial, performance, drive.durationNs));
  write('trace.json', traceLog(trial));
  if (outputsPath !== undefined)
    write('accuracy.json', accuracyLog(trial, predictions(outputsPath, drive.library.totalSampleCount)));
}

/** LoadGen's defaults stand in where servemark has no such setting: expected latencies of the streams, the server's bound. */
function settingsOf(
  spec: TrialSpec,
  load: ResolvedLoad,
  preset: Preset,
  { facts, drive, plan }: MeasuredTrial,
): MlperfSettings {
  const accuracy = spec.kind === 'accuracy';
  const scenario = accuracy ? 'Offline' : SCENARIOS[load.type]!;
  const samples = accuracy ? drive.library.totalSampleCount : drive.offered;
  return {
    scenario,
    mode: accuracy ? 'AccuracyOnly' : 'PerformanceOnly',
    ...sizes(scenario, load, preset, plan, samples),
    targetQps: targetQps(scenario, load, facts.load),
    targetLatencyNs: scenario === 'Server' ? (facts.load.latencyBoundNs ?? 100e6) : 0,
    targetPercentile: (accuracy ? null : facts.load.primary.percentile) ?? 0.99,
    maxAsyncQueries: scenario === 'Server' ? 0 : 1,
    minDurationMs: facts.load.minDurationNs / 1e6,
    seeds: spec.seeds,
    library: drive.library,
  };
}

function sizes(
  scenario: MlperfSettings['scenario'],
  load: ResolvedLoad,
  preset: Preset,
  plan: LoadPlan,
  samples: number,
): Pick<MlperfSettings, 'samplesPerQuery' | 'minQueryCount' | 'maxQueryCount' | 'maxDurationMs'> {
  if (scenario === 'Offline') return { samplesPerQuery: samples, minQueryCount: 1, maxQueryCount: 0, maxDurationMs: 0 };
  const options = parsed(load);
  const maxQueryCount = options.maxQueries ?? 0;
  if (plan.mode === 'open') {
    const minQueryCount = options.minQueries ?? PRESETS[preset].minQueries.server;
    return { samplesPerQuery: 1, minQueryCount, maxQueryCount, maxDurationMs: 0 };
  }
  const { perQuery: samplesPerQuery, minQueries: minQueryCount, maxDurationNs } = plan;
  return { samplesPerQuery, minQueryCount, maxQueryCount, maxDurationMs: maxDurationNs / 1e6 };
}

function targetQps(scenario: MlperfSettings['scenario'], load: ResolvedLoad, facts: LoadFacts): number {
  if (scenario === 'Server') return facts.ratePerSecond ?? 1;
  if (scenario === 'Offline') return parsed(load).expectedRate ?? 1;
  return scenario === 'SingleStream' ? 1000 : 125;
}

function parsed({ type, options }: ResolvedLoad) {
  return loadNamed(type).options.parse(options) as {
    readonly minQueries?: number | undefined;
    readonly maxQueries?: number | undefined;
    readonly expectedRate?: number | undefined;
  };
}

/** A row of one number is the prediction itself, a longer one holds the scores of the classes. NaN where there was no answer. */
function predictions(path: string, samples: number): Float32Array {
  const bytes = readFileSync(path);
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const width = all.length / samples;
  return Float32Array.from({ length: samples }, (_, sample) => {
    const row = all.subarray(sample * width, (sample + 1) * width);
    return row.length <= 1 || Number.isNaN(row[0]) ? (row[0] ?? Number.NaN) : argmax(row);
  });
}
