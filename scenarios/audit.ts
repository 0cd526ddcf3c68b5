import { join } from 'node:path';
import { loads } from '../clients/loads/index.js';
import { captureEnvironment } from '../results/capture.js';
import { UserError } from '../results/errors.js';
import { writeJsonAtomic } from '../results/files.js';
import { UNKNOWN } from '../results/record.js';
import type { StoredRun } from '../results/run.js';
import { createRun, readRun, readTrialRecords } from '../results/store.js';
import type { TrialOutcome, TrialSummary } from '../results/summary.js';
import { type AuditFinding, caching, otherSeeds, type Scored, sameAnswers } from './audit-tests.js';
import type { TrialSpec } from './contract.js';
import type { RunSettings } from './plan.js';
import { type RunEvent, trialRunner, trialsOf } from './run.js';

export interface AuditOptions {
  /** Only this trial. */
  readonly trial?: string | undefined;
  /** Instead of the loads' own: shorter than MLPerf asks, and the file says so. */
  readonly durationNs?: number | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

export interface Audit {
  /** `audit.json` in the run folder. */
  readonly path: string;
  readonly findings: readonly AuditFinding[];
  readonly interrupted: boolean;
}

const AUDIT_SCHEMA = 1;

/** MLCommons' seeds of audit TEST05. */
const AUDIT_SEEDS = {
  library: '7975553102935885558',
  samples: '11403566307062068064',
  schedule: '15816800565822761601',
} as const;

/** A trial once more as it was, and three times otherwise. */
const VARIANTS = {
  reference: (spec: TrialSpec) => spec,
  TEST01: (spec: TrialSpec) => ({ ...spec, judge: true }),
  TEST04: (spec: TrialSpec) => ({
    ...spec,
    load: { ...spec.load, options: { ...spec.load.options, samples: 'same' } },
  }),
  TEST05: (spec: TrialSpec) => ({ ...spec, seeds: AUDIT_SEEDS }),
} as const satisfies Record<string, (spec: TrialSpec) => TrialSpec>;
type Variant = keyof typeof VARIANTS;

/**
 * MLPerf's audits of a stored run: each performance trial is run again as it was, with its answers judged (TEST01), with one
 * sample over and over (TEST04), and with other seeds (TEST05). The trials are a run of their own in `audit/` of the run folder.
 * Source: mlcommons/inference `compliance/`. Throws UserError for a run that can't be audited.
 */
export async function audit(folder: string, options: AuditOptions): Promise<Audit> {
  const run = readRun(folder);
  const settings = settingsOf(run);
  const audited = chosen(run, options);
  const specs = audited.flatMap((spec) => variantsOf(spec, options.durationNs));
  const { settings: _, ...plan } = run.plan;
  const store = createRun(
    join(folder, 'audit'),
    {
      ...plan,
      question: `Does ${folder} stand MLPerf's audits?`,
      command: `servemark audit ${folder}`,
      loads: [...new Map(specs.map(({ load }) => [load.name, { name: load.name, summary: load.summary }])).values()],
      trials: specs.map((spec) => ({ identity: spec.identity, detail: spec })),
    },
    captureEnvironment(),
  );
  const runner = trialRunner(settings, store, options, run.outcomes);
  const findings: AuditFinding[] = [];
  try {
    for (const [index, spec] of audited.entries()) {
      const scored = new Map<Variant, Scored | string>();
      for (const [k, variant] of variantsOf(spec, options.durationNs).entries()) {
        const outcome = await runner.run(variant, index * VARIANT_NAMES.length + k, specs.length);
        scored.set(VARIANT_NAMES[k]!, scoredOf(outcome, store.folder));
      }
      findings.push(...judged(spec, scored, run));
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
  const interrupted = options.signal.aborted;
  store.finish(interrupted ? 'interrupted' : 'completed');
  const path = join(folder, 'audit.json');
  const shortened = options.durationNs !== undefined;
  writeJsonAtomic(path, { schema: AUDIT_SCHEMA, run: store.folder, shortened, interrupted, findings }, 'the audit');
  return { path, findings, interrupted };
}

const VARIANT_NAMES = Object.keys(VARIANTS) as readonly Variant[];

function settingsOf(run: StoredRun): RunSettings {
  const settings = run.plan.settings as RunSettings | undefined;
  if (settings !== undefined && settings.preset !== 'quick' && !run.plan.simulated) return settings;
  throw new UserError({
    place: run.folder,
    found: settings === undefined ? 'a run without a scenario' : `a run under the preset "${settings.preset}"`,
    allowed: 'a run under MLPerf’s rules (preset: mlperf or mlperf-short)',
    remedy: 'servemark run scenarios/mlperf-fashion-short.yaml makes one',
  });
}

/** The completed trials of MLPerf's load types. */
function chosen(run: StoredRun, { trial }: AuditOptions): TrialSpec[] {
  const completed = new Set(
    run.outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary.trial.id] : [])),
  );
  const all = trialsOf(run.plan).filter(
    ({ kind, identity, load }) => kind === 'measure' && completed.has(identity.id) && MLPERF.includes(load.type),
  );
  const wanted =
    trial === undefined
      ? all.filter(({ identity }) => identity.repeat === 1)
      : all.filter(({ identity }) => identity.id === trial);
  if (wanted.length > 0) return wanted;
  throw new UserError({
    place: trial === undefined ? run.folder : '--trial',
    found:
      trial === undefined ? 'no trial of an MLPerf load type was completed' : `no such completed trial: "${trial}"`,
    allowed: all.length > 0 ? all.map(({ identity }) => identity.id).join(', ') : undefined,
  });
}

const MLPERF: readonly string[] = ['single-stream', 'multi-stream', 'server', 'offline'];

function variantsOf(spec: TrialSpec, durationNs: number | undefined): TrialSpec[] {
  return VARIANT_NAMES.map((variant): TrialSpec => {
    const changed = VARIANTS[variant](spec);
    const { identity, load } = changed;
    const name = `${load.name}.${variant}`;
    const options = durationNs === undefined ? load.options : { ...load.options, duration: durationNs };
    return {
      ...changed,
      load: { ...load, name, options },
      identity: { ...identity, id: `${identity.id}.${variant}`, load: name },
    };
  });
}

/** What a variant measured, or why it did not. */
function scoredOf(outcome: TrialOutcome, folder: string): Scored | string {
  if (outcome.state === 'failed') return outcome.error;
  if (outcome.state === 'skipped') return outcome.reason;
  const { summary } = outcome;
  const score = scoreOf(summary);
  if (score === null) return 'too few requests were answered';
  return { summary, score, records: readTrialRecords(folder, summary.trial.id) };
}

/** The load type's own figure as something that is better when it is higher. */
function scoreOf(summary: TrialSummary): Scored['score'] | null {
  const { metric } = loads.find(({ name }) => name === summary.trial.loadType)?.primary ?? {};
  if (metric === 'throughput') {
    const rate = summary.primary.value;
    return rate === null ? null : { name: 'samples/s', value: rate, latencyNs: null };
  }
  // A server's rate is given: what repetition or other seeds change is its latency.
  const latency = metric === 'targetRate' ? summary.latencyNs.mean : (summary.primary.value ?? summary.latencyNs.mean);
  const name = metric === 'targetRate' || summary.primary.value === null ? 'mean latency' : 'early-stopping estimate';
  return latency === null ? null : { name, value: 1e9 / latency, latencyNs: latency };
}

function judged(spec: TrialSpec, scored: ReadonlyMap<Variant, Scored | string>, run: StoredRun): AuditFinding[] {
  const trial = spec.identity.id;
  const reference = scored.get('reference')!;
  const test = (
    name: Exclude<Variant, 'reference'>,
    judge: (reference: Scored, tested: Scored) => Omit<AuditFinding, 'trial' | 'test'>,
  ): AuditFinding => {
    const tested = scored.get(name)!;
    const broken = [reference, tested].find((one) => typeof one === 'string');
    if (typeof broken === 'string')
      return { trial, test: name, state: 'FAIL', message: `it could not be run: ${broken}` };
    return { trial, test: name, ...judge(reference as Scored, tested as Scored) };
  };
  return [
    test('TEST01', (first, tested) => sameAnswers(first, tested, accuracyBySample(spec, run))),
    test('TEST04', caching),
    test('TEST05', otherSeeds),
  ];
}

/** Sample → right (1) or wrong (0), from the run's accuracy trial of the same system and transport; undefined where there is none. */
function accuracyBySample({ identity }: TrialSpec, run: StoredRun): ReadonlyMap<number, number> | undefined {
  const twin = trialsOf(run.plan).find(
    (each) =>
      each.kind === 'accuracy' &&
      each.identity.system === identity.system &&
      each.identity.transport === identity.transport,
  );
  const records = twin && readTrialRecords(run.folder, twin.identity.id);
  if (!records) return undefined;
  const known = new Map<number, number>();
  for (let row = 0; row < records.length; row++)
    if (records.correct[row] !== UNKNOWN) known.set(records.sampleIndex[row]!, records.correct[row]!);
  return known.size > 0 ? known : undefined;
}
