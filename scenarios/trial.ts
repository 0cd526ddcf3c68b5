import { join } from 'node:path';
import type { DriveJob, DriveProgress } from '../clients/job.js';
import { LoadProcessError } from '../clients/load-handle.js';
import type { LoadPlan } from '../clients/loads/index.js';
import { mostProcesses } from '../clients/share.js';
import { transportNamed } from '../clients/transports/index.js';
import { readRecords } from '../results/arrow.js';
import type { Calibration } from '../results/calibration.js';
import { formatProblem, messageOf } from '../results/errors.js';
import type { Targets as FactTargets, TrialFacts } from '../results/facts.js';
import type { Monitored, MonitorSettings, RecentReading } from '../results/monitors/index.js';
import type { LoadScheduling } from '../results/scheduling.js';
import type { RunStore } from '../results/store.js';
import { summarise } from '../results/summarise.js';
import type { TrialOutcome } from '../results/summary.js';
import type { CostTable } from '../servers/executors/index.js';
import { Unavailable } from '../servers/external.js';
import type { ModelSpec } from '../servers/models/index.js';
import { processingOf } from '../servers/models/index.js';
import { lackOf } from '../servers/runtimes/index.js';
import type { Preset, SamplesChoice, SystemSpec, Targets, TrialSpec } from './contract.js';
import { ExternalSession } from './external-session.js';
import { GatewaySession } from './gateway-session.js';
import { isFleet } from './gateway-system.js';
import { loadFacts, planFrom } from './load-facts.js';
import { modelsOf } from './load-hosted.js';
import { hasMlperfLogs, type MeasuredTrial, writeMlperfLogs } from './mlperf.js';
import { measuredRoofline, rooflineProblem } from './roofline.js';
import { samplesOf } from './samples.js';
import { InProcessSession, ServerSession, type Session } from './session.js';

/** What a trial needs besides its spec. */
export interface TrialContext {
  readonly preset: Preset;
  readonly targets: Targets;
  readonly warmUpNs: number;
  readonly bootstrapSeed: bigint;
  readonly samples: SamplesChoice | undefined;
  /** Processes that share each load, as far as it can be shared; absent: one. */
  readonly loadProcesses?: number | undefined;
  /** Connections of each load at most; absent: as its load needs. */
  readonly connections?: number | undefined;
  /** Absent: the best that the kernel grants. */
  readonly loadScheduling?: LoadScheduling | undefined;
  /** Where the trial's own files go; set by the trial. */
  readonly trialFolder?: string | undefined;
  /** Absent in runs that were planned before there was a choice: the defaults. */
  readonly monitors?: MonitorSettings | undefined;
  /** Of one request, by system, as far as it is known beforehand. */
  readonly requestBytes?: Readonly<Record<string, number>> | undefined;
  /** What this host's load processes are good for; undefined where nobody measured it. */
  readonly calibration?: Calibration | undefined;
  /** Run loads that they are not good for. */
  readonly force?: boolean | undefined;
  /** Capacity in requests per second that a probe found, by `system transport`; undefined where it failed. */
  capacity(system: string, transport: string): number | undefined;
  /** What the accuracy trial of a system over a transport came to; undefined where there was none. */
  accuracy?(system: string, transport: string): number | undefined;
  /** The cost table of a model, for strategies that plan with it. */
  profile(model: ModelSpec): CostTable | undefined;
  /** `recent`: what the monitors read within the last second, told on demand. */
  onProgress(progress: DriveProgress, recent?: () => readonly RecentReading[]): void;
  onEvent(text: string): void;
}

/** Long enough for the slowest overloaded queue; a hang ends the request, not the run. */
export const TIMEOUT_NS = 30e9;
const CONNECTIONS = 64;
/** As many as sockets in reason; the server's process holds as many. */
const MOST_CONNECTIONS = 1024;
const PROBE_WARM_UP_NS = 2e9;
/** So many times the other trials' warm-up at most. */
const PROBE_WARM_UP_TIMES = 8;

/**
 * One trial from start-up to verdict: server process, warm-up, load process, monitors, statistics, summary. Everything that
 * goes wrong becomes a `failed` outcome with the last lines of the process that failed. Throws only when aborted.
 */
export async function runTrial(
  spec: TrialSpec,
  context: TrialContext,
  store: RunStore,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  const lacking = unavailable(spec);
  if (lacking) return lacking;
  const load = resolveRate(spec, context);
  if (typeof load === 'string') return { state: 'skipped', trial: spec.identity, reason: load };
  const refused = context.force ? undefined : refusal(spec, load, context);
  if (refused) return { state: 'skipped', trial: spec.identity, reason: refused };
  const lines: string[] = [];
  const onLine = (line: string): void => void (lines.push(line) > 40 && lines.shift());
  try {
    const own = { ...context, trialFolder: store.trialFolder(spec.identity.id) };
    const measured = await measure(spec, load, own, store, signal, onLine);
    const summary = summarise(measured.facts);
    if (hasMlperfLogs(spec, context.preset)) writeMlperfLogs(spec, load, context.preset, measured, summary, store);
    return { state: 'completed', summary };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Unavailable) return { state: 'skipped', trial: spec.identity, reason: error.message };
    if (error instanceof LoadProcessError) lines.push(...error.lastLines);
    return { state: 'failed', trial: spec.identity, error: messageOf(error), lastLines: lines.slice(-20) };
  }
}

/** The outcome of a trial whose device this machine lacks. */
export function unavailable(spec: TrialSpec): TrialOutcome | undefined {
  const lack = lackOf(providersOf(spec.system));
  return lack === undefined ? undefined : { state: 'skipped', trial: spec.identity, reason: lack };
}

/** Execution providers that the system's sessions ask for, those of its replicas too. */
function providersOf(system: SystemSpec): string[] {
  const options = [
    ...modelsOf(system).map(({ model }) => model.options),
    ...(system.replicas ?? []).map(({ model }) => model),
  ];
  return options.flatMap((each) =>
    Array.isArray(each?.executionProviders) ? each.executionProviders.map(String) : [],
  );
}

/** Why the generator is not good for a rate that is known only now. */
function refusal(
  spec: TrialSpec,
  load: { type: string; options: Record<string, unknown> },
  { calibration, requestBytes = {}, loadProcesses = 1 }: TrialContext,
): string | undefined {
  if (spec.kind !== 'measure') return undefined;
  const { transport } = spec.identity;
  const processes = spec.load.processes ?? loadProcesses;
  const asked = { ...load, transport, processes, requestBytes: requestBytes[spec.system.name] ?? 0 };
  const problem = rooflineProblem(calibration, asked, 'rate');
  return problem && formatProblem(problem);
}

/** The load's options with a relative rate made absolute, or why that can't be. */
export function resolveRate(
  spec: TrialSpec,
  context: TrialContext,
): { type: string; options: Record<string, unknown> } | string {
  const { relativeRate, type, options } = spec.load;
  if (!relativeRate) return { type, options: { ...options } };
  const transport = relativeRate.transport ?? spec.identity.transport;
  const capacity = context.capacity(relativeRate.system, transport);
  if (capacity === undefined) return `the capacity of ${relativeRate.system} over ${transport} could not be measured`;
  return { type, options: { ...options, [relativeRate.key]: Math.max(1e-3, capacity * relativeRate.factor) } };
}

async function measure(
  spec: TrialSpec,
  load: { type: string; options: Record<string, unknown> },
  context: TrialContext,
  store: RunStore,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<MeasuredTrial> {
  // The plan is drawn here too, from the same seeds, for what the judge must know of it.
  const plan = planFrom(load, spec.seeds, context.preset);
  const job = driveJob(spec, load, plan, context, store);
  const session = sessionOf(spec, context, onLine);
  try {
    const drive = await session.drive(job, signal, processesOf(spec, context, plan));
    const records = readRecords(job.recordsPath);
    const facts = loadFacts(load.type, load.options, plan, context.preset, context.targets);
    const all: TrialFacts = {
      identity: spec.identity,
      records,
      drive,
      // Accuracy mode ends with the last sample, whatever the load's own minima.
      load: spec.kind === 'accuracy' ? { ...facts, minDurationNs: 0, minQueries: 0 } : facts,
      statistics: session.statistics,
      gateway: session.gateway,
      processes: session.monitored?.processes ?? [],
      ...keepReadings(session.monitored, drive.startedAt, spec.identity.id, store),
      targets: targetsOf(spec, context),
      seed: context.bootstrapSeed,
      scheduleSeed: spec.seeds.schedule,
      accuracyMetric: spec.metric,
      roofline: measuredRoofline(context.calibration, { transport: spec.identity.transport, ...facts }, drive),
    };
    return { facts: all, drive, plan, outputsPath: job.outputsPath };
  } finally {
    await session.stop();
  }
}

function sessionOf(spec: TrialSpec, context: TrialContext, onLine: (line: string) => void): Session {
  const { external } = spec.system;
  if (external) return new ExternalSession(spec, external, context, onLine);
  if (isFleet(spec.system)) return new GatewaySession(spec, context, onLine);
  return transportNamed(spec.identity.transport).endpoint === 'none'
    ? new InProcessSession(spec, context, onLine)
    : new ServerSession(spec, context, onLine);
}

/**
 * Connections at most, opened as they are needed. The users of an open load do not wait for each other's: with 64 and 50 ms an
 * answer, 1,455 requests a second would wait in the client, and an admission that holds its objective would seem to miss it. gRPC
 * carries many requests over one.
 */
export function connectionsFor(plan: LoadPlan, transport: string): number {
  const inFlight = plan.mode === 'open' ? plan.cap : plan.concurrency * plan.perQuery;
  const isOpen = plan.mode === 'open' && !plan.latenessExpected;
  if (isOpen && transportNamed(transport).endpoint === 'grpc') return CONNECTIONS;
  return Math.max(CONNECTIONS, Math.min(MOST_CONNECTIONS, inFlight));
}

/** As many as were asked for and the plan can be dealt out to. Accuracy looks at answers, not at their time: one. */
function processesOf(spec: TrialSpec, context: TrialContext, plan: LoadPlan): number {
  if (spec.kind === 'accuracy') return 1;
  return Math.min(spec.load.processes ?? context.loadProcesses ?? 1, mostProcesses(plan));
}

/** Aligns what the monitors read with the load's t = 0, and stores it beside the records. */
export function keepReadings(
  monitored: Monitored | undefined,
  startedAt: string,
  trialId: string,
  store: RunStore,
): Pick<TrialFacts, 'readings' | 'monitors'> {
  if (!monitored) return {};
  const readings = monitored.readings(Date.parse(startedAt));
  if (readings.length > 0) store.writeReadings(trialId, readings);
  return { readings, monitors: monitored.reports };
}

/** A probe has none: it is to be overloaded. */
export function targetsOf(spec: TrialSpec, { targets, accuracy }: TrialContext): FactTargets {
  if (spec.kind === 'measure') return { p99LatencyNs: targets.p99LatencyNs, errorRate: targets.errorRate };
  if (spec.kind !== 'accuracy') return {};
  const relative = targets.relativeAccuracy;
  if (!relative || relative.system === spec.identity.system) return { accuracy: targets.accuracy };
  const reference = accuracy?.(relative.system, spec.identity.transport) ?? null;
  return { accuracy: targets.accuracy, relativeAccuracy: { ...relative, reference } };
}

function outputsPath(store: RunStore, trialId: string): string {
  return join(store.trialFolder(trialId), 'outputs.f32');
}

function driveJob(
  spec: TrialSpec,
  load: { type: string; options: Record<string, unknown> },
  plan: LoadPlan,
  context: TrialContext,
  store: RunStore,
): DriveJob {
  const isReference = spec.identity.id === spec.referenceTrial;
  const keepsOutputs = isReference || (spec.kind === 'accuracy' && hasMlperfLogs(spec, context.preset));
  return {
    transport: spec.identity.transport,
    url: '',
    model: '',
    connections: context.connections ?? connectionsFor(plan, spec.identity.transport),
    timeoutNs: TIMEOUT_NS,
    scheduling: context.loadScheduling,
    load: { type: load.type, options: load.options, preset: context.preset },
    samples: samplesOf(spec.system, context.samples),
    seeds: spec.seeds,
    warmUpNs: warmUpOf(spec, context),
    mode: spec.kind === 'accuracy' ? 'accuracy' : 'performance',
    judge: spec.judge ?? false,
    judgedShare: spec.judgedShare,
    labels: spec.system.front?.name === 'clipper-select' && spec.system.front.options.reference === undefined,
    chain: spec.system.ensemble?.at === 'client' ? spec.system.ensemble : undefined,
    recordsPath: store.recordsPath(spec.identity.id),
    outputsPath: keepsOutputs ? outputsPath(store, spec.identity.id) : undefined,
    metric: spec.metric,
    referencePath: isReference ? undefined : spec.referenceTrial && outputsPath(store, spec.referenceTrial),
    processing: spec.system.processing === 'client' ? processingOf(spec.system.model) : undefined,
  };
}

/**
 * Of a capacity probe longer: relative rates are of what it finds, the simulator replays it, and there is one of it for many
 * trials, run when the machine has just begun to work.
 */
export function warmUpOf({ kind }: TrialSpec, { warmUpNs }: Pick<TrialContext, 'warmUpNs'>): number {
  if (kind === 'accuracy') return 0;
  return kind === 'probe' ? Math.max(warmUpNs, Math.min(PROBE_WARM_UP_NS, PROBE_WARM_UP_TIMES * warmUpNs)) : warmUpNs;
}
