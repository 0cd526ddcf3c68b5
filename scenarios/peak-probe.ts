import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DriveJob, DriveProgress } from '../clients/job.js';
import { forkLoad } from '../clients/load-handle.js';
import { readRecords } from '../results/arrow.js';
import type { ShareTest } from '../results/stats/index.js';
import { summarise } from '../results/summarise.js';
import type { TrialSummary } from '../results/summary.js';
import { formatDuration } from '../results/units.js';
import type { ServerHandle } from '../servers/server-handle.js';
import type { Targets, TrialSpec } from './contract.js';
import { loadFacts, planFrom } from './load-facts.js';
import type { PeakProbe } from './peak.js';
import { samplesOf } from './samples.js';
import { connectionsFor, TIMEOUT_NS, type TrialContext } from './trial.js';

export interface ProbeSettings {
  readonly spec: TrialSpec;
  readonly context: TrialContext;
  readonly server: ServerHandle;
  readonly url: string;
  readonly boundNs: number;
  readonly durationNs: number;
  /** Records of the probes. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** A pass needs this share of the duration at least: a queue that grows slowly passes at first. */
const LEAST_FOR_PASS = 0.25;
/** A machine that has to be woken first answers late; each probe warms for so long. */
const WARM_UP_NS = 200e6;

/**
 * One probe at a rate, ended as soon as its test is clear (results/stats/sequential.ts). Null where it was interrupted.
 * A pass must also keep the error rate, and its queue must not grow.
 */
export async function probeRate(
  settings: ProbeSettings,
  rate: number,
  number: number,
  test: ShareTest,
): Promise<PeakProbe | null> {
  const { durationNs, signal, spec, context } = settings;
  const clear = new AbortController();
  const watch = new BlockWatch(test, rate, settings, () => clear.abort());
  const load = { type: 'server', options: { rate, duration: durationNs }, preset: 'quick' as const };
  const job = probeJob(settings, load, number);
  const startedMs = performance.now();
  const result = await forkLoad(job, {
    signal: AbortSignal.any([signal, clear.signal]),
    cpus: spec.system.loadCpus,
    processes: context.loadProcesses,
    onProgress: (progress) => {
      watch.see(progress);
      context.onProgress(progress);
    },
  });
  if (signal.aborted) return null;
  const targets: Targets = { p99LatencyNs: settings.boundNs, errorRate: context.targets.errorRate };
  const facts = loadFacts('server', load.options, planFrom(load, job.seeds, 'quick'), 'quick', targets);
  const summary = summarise({
    identity: { ...spec.identity, id: `${spec.identity.id}.probe${number}` },
    records: readRecords(job.recordsPath),
    // Ending it once it is clear is what was meant.
    drive: { ...result, stoppedEarly: clear.signal.aborted ? null : result.stoppedEarly },
    load: { ...facts, minDurationNs: 0 },
    processes: [],
    targets,
    seed: context.bootstrapSeed,
    scheduleSeed: job.seeds.schedule,
  });
  return { rate, ...judged(test, summary, settings), seconds: (performance.now() - startedMs) / 1000 };
}

/** The job of the n-th probe: every probe draws its own schedule. */
export function probeJob(
  { spec, context, server, url, boundNs, folder }: ProbeSettings,
  load: DriveJob['load'],
  number: number,
): DriveJob {
  mkdirSync(folder, { recursive: true });
  const seed = (text: string) => String((BigInt(text) + BigInt(number)) % 2n ** 64n);
  return {
    transport: spec.identity.transport,
    url,
    model: server.metadata.name,
    connections:
      context.connections ?? connectionsFor(planFrom(load, spec.seeds, context.preset), spec.identity.transport),
    timeoutNs: TIMEOUT_NS,
    scheduling: context.loadScheduling,
    load,
    samples: samplesOf(spec.system, context.samples),
    seeds: { ...spec.seeds, schedule: seed(spec.seeds.schedule), samples: seed(spec.seeds.samples) },
    warmUpNs: number === 1 ? context.warmUpNs : WARM_UP_NS,
    mode: 'performance',
    judge: false,
    latencyBoundNs: boundNs,
    recordsPath: join(folder, `${spec.identity.id}.${number}.arrow`),
  };
}

/** Hands what was completed between two reports of progress to the test, and ends the load when it is clear. */
class BlockWatch {
  private seen = { completed: 0, over: 0, sumMs: 0, squaresMs: 0 };

  constructor(
    private readonly test: ShareTest,
    private readonly rate: number,
    private readonly settings: ProbeSettings,
    private readonly end: () => void,
  ) {}

  see({ phase, bound, completed, issued, fraction }: DriveProgress): void {
    if ((phase !== 'measuring' && phase !== 'draining') || bound === undefined) return;
    const { seen } = this;
    this.test.add({
      trials: completed - seen.completed,
      hits: bound.over - seen.over,
      sum: bound.sumMs - seen.sumMs,
      squares: bound.squaresMs - seen.squaresMs,
    });
    this.seen = { completed, ...bound };
    const { decided } = this.test.evidence;
    // By Little's law more than this in flight means a mean latency of half the bound, and no p99 within it for long.
    const calm = issued - completed < 1 + (this.rate * this.settings.boundNs) / 2e9;
    if (decided === 'above' || (decided === 'below' && fraction >= LEAST_FOR_PASS && calm)) this.end();
  }
}

function judged(
  test: ShareTest,
  { verdict, backlog }: TrialSummary,
  { boundNs }: ProbeSettings,
): Pick<PeakProbe, 'outcome' | 'reason' | 'evidence' | 'generatorLimited'> {
  const { evidence } = test;
  const broken = (rules: readonly string[]) =>
    verdict.findings.find(({ rule, severity }) => severity === 'invalid' && rules.includes(rule));
  const late = broken(['dispatch-lateness', 'delivery', 'arrival-law']);
  const failed = (reason: string) =>
    ({ outcome: 'fail', reason, evidence, generatorLimited: late !== undefined }) as const;
  const errors = broken(['error-rate']);
  const share = `${evidence.hits.toLocaleString('en-US')} of ${evidence.trials.toLocaleString('en-US')} over ${formatDuration(boundNs)}`;
  if (evidence.decided === 'above') return failed(share);
  if (errors) return failed(errors.message);
  if (backlog?.saturated)
    return failed(`${share}, but the queue grows by ${Math.round(backlog.outstandingPerSecond.perSecond)}/s`);
  // A late load process only makes latency worse: what passes in spite of it passes.
  const outcome = evidence.decided === 'below' ? 'pass' : 'undecided';
  return { outcome, reason: share, evidence, generatorLimited: false };
}
