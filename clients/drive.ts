import { accuracyMetricNamed } from '../results/accuracy/index.js';
import { writeRecords } from '../results/arrow.js';
import { nowNs } from '../results/clock.js';
import { UserError } from '../results/errors.js';
import { writeFileAtomic } from '../results/files.js';
import { RecordTable } from '../results/record.js';
import { type Scheduled, scheduleAtOnce } from '../results/scheduling.js';
import type { Processing } from '../servers/processing/index.js';
import { OutputCollector, readRows } from './agreement.js';
import { encodeAll, encodeOnDemand, encodeSequences } from './encoded.js';
import type { DriveJob, DriveProgress, DriveResult } from './job.js';
import { judgeBy, sampledJudge } from './judge.js';
import type { Live } from './live.js';
import { accuracyPlan } from './loads/accuracy-plan.js';
import { type LoadContext, type LoadPlan, planLoad } from './loads/index.js';
import { eventLoop, Pacer } from './pacer.js';
import { type PhaseResult, type PhaseTools, runPhase } from './phase.js';
import { clientProcessing } from './processing.js';
import { ProgressReporter } from './progress.js';
import type { Judging } from './requests.js';
import { appendRows, lastCompletion, lastDue, shiftTimes } from './rows.js';
import type { SampleLibrary } from './samples/index.js';
import { bytesOf, scheduleSha256 } from './schedule.js';
import { numberAsWhole, shareOf } from './share.js';
import type { Transport } from './transports/index.js';
import { type ClockPair, clockDrift, readClocks } from './wall-clock.js';
import { collectGarbage, measuredRows, runWarmUp, type WarmUp } from './warm-up.js';

/**
 * Carries out a job against a connected transport: everything that can be known is made first (schedule, payloads, room for
 * the records), then warm-up, then the measured load from t = 0, then the records are written to `job.recordsPath`. `emit`
 * hears at most ten times a second. `processing` is what is done on this side of the wire. `meet` gives t = 0 once all is ready. An abort ends the sending; the result says so and the records hold what there is.
 * Throws UserError for a job that can't be carried out or records that can't be written.
 */
export async function drive(
  job: DriveJob,
  transport: Transport,
  samples: SampleLibrary,
  emit: (progress: DriveProgress) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
  meet: Meet = async () => nowNs() + START_DELAY_NS,
  processing?: Processing,
): Promise<DriveResult> {
  const progress = new ProgressReporter(emit);
  const whole = planOf(job, samples);
  const plan = job.share ? shareOf(whole, job.share) : whole;
  const collector = job.outputsPath === undefined ? undefined : new OutputCollector();
  const judging = await judgingOf(job, samples, collector);
  if (collector) collector.inner = judging?.judge;
  // Before the pacer's thread, which inherits it.
  const scheduled = job.scheduling && (await scheduleAtOnce(job.scheduling));
  const pacer = plan.mode === 'open' ? await Pacer.start(plan.dueNs) : undefined;
  try {
    const model = { name: job.model, classes: plan.mix?.classes, labels: job.labels };
    const sequences = plan.mode === 'open' && plan.sessions?.sequence ? plan : undefined;
    if (processing && (plan.mix || sequences)) throw noKinds(job);
    const tools: PhaseTools = {
      transport,
      timeline: pacer ?? eventLoop,
      encoded:
        job.mode === 'accuracy' || processing
          ? encodeOnDemand(transport, samples, model)
          : sequences
            ? encodeSequences(transport, samples, job.model, sequences)
            : encodeAll(transport, samples, model, samples.performanceSampleCount),
      judging: collector ? { kind: judging?.kind ?? 'share', judge: collector.judge } : judging,
      processing: processing && clientProcessing(processing, transport, samples, job.model),
      patienceMs: job.timeoutNs / 1e6 + 1000,
      latencyBoundNs: job.latencyBoundNs,
      signal,
    };
    const warmUp = await runWarmUp(job.warmUpNs, plan, job.share?.of ?? 1, tools, (live) =>
      progress.enter('warming-up', live),
    );
    if (job.schedulePath !== undefined && whole.mode === 'open')
      writeFileAtomic(job.schedulePath, bytesOf(whole.dueNs), 'the schedule of this trial');
    const outcome = await measure(plan, warmUp, tools, progress, meet);
    // Writing the records is nothing that others should wait for.
    scheduled?.restore();
    collector?.write(job.outputsPath!, samples.totalSampleCount);
    return store(job, plan, scheduleSha256(whole), samples, outcome, scheduled);
  } finally {
    scheduled?.restore();
    progress.close();
    await pacer?.close();
  }
}

/** A trial that keeps its outputs and has no reference is one: judged against itself. */
async function judgingOf(
  job: DriveJob,
  samples: SampleLibrary,
  collector: OutputCollector | undefined,
): Promise<Judging | undefined> {
  const { mode, referencePath } = job;
  if (mode !== 'accuracy' && !job.judge) return undefined;
  const metric = accuracyMetricNamed(job.metric ?? 'top-1');
  const reference =
    referencePath === undefined ? collector?.rowOf : await readRows(referencePath, samples.totalSampleCount);
  const whole = judgeBy(metric, samples, reference);
  const judge = mode === 'accuracy' ? whole : sampledJudge(whole, job.judgedShare ?? 1);
  return judge && { judge, kind: metric.kind };
}

/** Gives the clock reading of t = 0: one's own, or the one that all load processes were told. */
export type Meet = () => Promise<number>;

/** Everything that will be sent, by all load processes. Throws UserError. */
function planOf(job: DriveJob, samples: SampleLibrary): LoadPlan {
  if (job.mode === 'accuracy') {
    if (samples.label || samples.answer || job.outputsPath !== undefined || job.referencePath !== undefined)
      return accuracyPlan(samples.totalSampleCount, Math.min(job.connections, ACCURACY_CONCURRENCY));
    throw new UserError({
      place: 'mode accuracy',
      found: `the samples "${samples.name}" have no labels`,
      remedy: 'Use samples with labels (fashion-mnist, or npy with labels.npy)',
    });
  }
  return planLoad(job.load.type, job.load.options, contextOf(job, samples));
}

function contextOf({ seeds, load }: DriveJob, samples: SampleLibrary): LoadContext {
  return {
    scheduleSeed: BigInt(seeds.schedule),
    sampleSeed: BigInt(seeds.samples),
    librarySeed: seeds.library === undefined ? undefined : BigInt(seeds.library),
    totalSampleCount: samples.totalSampleCount,
    performanceSampleCount: samples.performanceSampleCount,
    preset: load.preset,
  };
}

function noKinds({ load }: DriveJob): UserError {
  return new UserError({
    place: `load ${load.type}`,
    found: 'its requests are of several kinds or sequences, which the client can’t process',
    allowed: 'processing: server',
  });
}

interface Measured extends PhaseResult {
  readonly table: RecordTable;
  readonly warmUpRows: number;
  readonly clocks: readonly [start: ClockPair, end: ClockPair];
  /** Clock reading of t = 0. */
  readonly originNs: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly elapsedNs: number;
}

async function measure(
  plan: LoadPlan,
  warmUp: WarmUp,
  tools: PhaseTools,
  progress: ProgressReporter,
  meet: Meet,
): Promise<Measured> {
  const warmUpRows = warmUp.table.length;
  const table = new RecordTable(warmUpRows + measuredRows(plan, warmUp));
  appendRows(warmUp.table, table);
  table.tenants.push(...(plan.mix?.classes.map(({ tenant }) => tenant) ?? []));
  // The garbage of preparing is not the load's.
  if (!warmUp.rehearsed) collectGarbage();
  const start = readClocks();
  const originNs = await meet();
  const cpuStart = process.cpuUsage();
  shiftTimes(table, warmUpRows, originNs - warmUp.originNs);
  const maxDurationNs = plan.mode === 'open' ? openLimit(plan) : Number.POSITIVE_INFINITY;
  const result = await runPhase(
    {
      plan,
      table,
      warmUp: false,
      originNs,
      maxDurationNs,
      phaseChanged: (phase, live) => progress.enter(phase, live, (now) => fractionOf(plan, nowNs() - originNs, now)),
    },
    tools,
  );
  const elapsedNs = nowNs() - originNs;
  const cpu = process.cpuUsage(cpuStart);
  return { ...result, table, warmUpRows, clocks: [start, readClocks()], originNs, cpu, elapsedNs };
}

function store(
  job: DriveJob,
  plan: LoadPlan,
  sha256: string,
  samples: SampleLibrary,
  measured: Measured,
  scheduled: Scheduled | undefined,
): DriveResult {
  const { table, warmUpRows, clocks, cpu } = measured;
  if (job.share) numberAsWhole(plan, table, warmUpRows, job.share);
  writeRecords(job.recordsPath, table, { schedule: sha256, samples: samples.sha256, transport: job.transport });
  const last = lastCompletion(table, warmUpRows);
  return {
    kind: 'result',
    startedAt: new Date(clocks[0].wallMs + (measured.originNs - clocks[0].monotonicNs) / 1e6).toISOString(),
    durationNs: Number.isNaN(last) ? measured.elapsedNs : last,
    scheduledNs: plan.mode === 'open' && !plan.closed ? lastDue(table, warmUpRows) : measured.sendingNs,
    offered: table.length - warmUpRows,
    scheduleSha256: sha256,
    samplesSha256: samples.sha256,
    library: {
      name: samples.name,
      totalSampleCount: samples.totalSampleCount,
      performanceSampleCount: Math.min(samples.performanceSampleCount, samples.totalSampleCount),
    },
    arrivals: plan.mode === 'open' ? (plan.arrivals ?? null) : null,
    clockDrift: clockDrift(...clocks),
    stoppedEarly: measured.stoppedEarly,
    requestBytes: samples.inputs(0).reduce((sum, { data }) => sum + data.byteLength, 0),
    cpu: { userSeconds: cpu.user / 1e6, systemSeconds: cpu.system / 1e6 },
    scheduling: scheduled?.scheduling,
  };
}

const ACCURACY_CONCURRENCY = 32;
/** Between the last preparation and t = 0, so that the first request finds the loop ready. */
const START_DELAY_NS = 1e6;

/** A capped load on a slow server would go on for hours. */
function openLimit(plan: Extract<LoadPlan, { mode: 'open' }>): number {
  return plan.latenessExpected ? 3600e9 : 2 * lastDueOf(plan) + 30e9;
}

function fractionOf(plan: LoadPlan, elapsedNs: number, live: Live): number {
  if (plan.mode === 'closed')
    return Math.min(
      plan.minDurationNs > 0 ? elapsedNs / plan.minDurationNs : 1,
      live.completed / (plan.minQueries * plan.perQuery),
    );
  const last = lastDueOf(plan);
  return last > 0 ? elapsedNs / last : live.completed / plan.dueNs.length;
}

/** When the plan's own time ends. */
function lastDueOf({ dueNs, closed }: Extract<LoadPlan, { mode: 'open' }>): number {
  return Math.max(dueNs.at(-1) ?? 0, closed?.durationNs ?? 0);
}
