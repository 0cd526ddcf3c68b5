import { join } from 'node:path';
import type { DriveJob, DriveResult } from '../clients/job.js';
import { forkLoad } from '../clients/load-handle.js';
import { transportNamed } from '../clients/transports/index.js';
import { readRecords } from '../results/arrow.js';
import type { CalibrationPoint } from '../results/calibration.js';
import { UserError } from '../results/errors.js';
import { summarise } from '../results/summarise.js';
import type { TrialSummary } from '../results/summary.js';
import { formatRate } from '../results/units.js';
import { forkServer, type ServerHandle } from '../servers/server-handle.js';
import { loadFacts, planFrom } from './load-facts.js';

export interface CalibrateOptions {
  readonly transport: string;
  /** Of one request's tensor; a multiple of 4. */
  readonly requestBytes: number;
  readonly processes: number;
  /** Of each trial. */
  readonly durationNs: number;
  /** Where records go meanwhile. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onTrial: (text: string) => void;
}

/** Halvings of the interval in which the highest rate lies: it is found within 1/32 of the closed loop's throughput. */
const HALVINGS = 5;
const IN_FLIGHT = 16;
/** Of each rate, until one holds. */
const TRIES = 3;

/**
 * One point: the null system is started on this host, a closed loop finds what passes at most, then the highest rate of
 * Poisson arrivals is bisected at which the gates of lateness and delivery hold in one of three tries. Throws UserError where none does.
 */
export async function calibratePoint(options: CalibrateOptions): Promise<CalibrationPoint> {
  const server = await startNull(options);
  try {
    const closed = await measure(server, options, 'closed', {
      concurrency: Math.max(IN_FLIGHT, options.processes),
      duration: options.durationNs,
    });
    const closedPerSecond = closed.summary.throughputPerSecond ?? 0;
    options.onTrial(`closed loop: ${formatRate(closedPerSecond)}`);
    const best = await bisect(server, options, closedPerSecond);
    return {
      transport: options.transport,
      requestBytes: options.requestBytes,
      processes: options.processes,
      openPerSecond: best.rate,
      latenessP99Ns: best.summary.latenessNs.p99.value,
      cores: coresOf(best.drive),
      closedPerSecond,
      capturedAt: new Date().toISOString(),
    };
  } finally {
    await server.stop();
  }
}

interface Trial {
  readonly rate: number;
  readonly summary: TrialSummary;
  readonly drive: DriveResult;
}

async function bisect(server: ServerHandle, options: CalibrateOptions, closedPerSecond: number): Promise<Trial> {
  let [low, high] = [0, closedPerSecond];
  let best: Trial | undefined;
  for (let step = 0; step < HALVINGS; step++) {
    const rate = (low + high) / 2;
    const found = await tryRate(server, options, rate);
    if (found) [low, best] = [rate, found];
    else high = rate;
  }
  if (best) return best;
  throw new UserError({
    place: `servemark calibrate ${options.transport}`,
    found: `at no rate from ${formatRate(high)} on are requests sent in time`,
    remedy: 'Something else uses the processors: end it and calibrate again',
  });
}

/** Once is enough: the limit is the generator's, not that of whatever else ran meanwhile. */
async function tryRate(server: ServerHandle, options: CalibrateOptions, rate: number): Promise<Trial | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const found = await measure(server, options, 'open', { rate, duration: options.durationNs });
    const holds = keepsGates(found.summary);
    options.onTrial(`${formatRate(rate)}: ${holds ? 'on time' : whyNot(found.summary)}`);
    if (holds) return { rate, ...found };
  }
  return undefined;
}

const RULES = ['dispatch-lateness', 'delivery', 'stopped-early'];

function keepsGates({ verdict, counts }: TrialSummary): boolean {
  return counts.ok === counts.offered && !verdict.findings.some(({ rule }) => RULES.includes(rule));
}

function whyNot({ verdict, counts }: TrialSummary): string {
  const finding = verdict.findings.find(({ rule }) => RULES.includes(rule));
  return finding?.message ?? `${counts.offered - counts.ok} requests without an answer`;
}

function startNull({ transport, requestBytes, signal }: CalibrateOptions): Promise<ServerHandle> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [-1, requestBytes / 4] }];
  return forkServer(
    {
      name: 'null',
      model: { runtime: 'null', options: { inputs } },
      strategy: { name: 'serial' },
      frontends: { [transportNamed(transport).endpoint]: { port: 0 } },
    },
    { signal },
  );
}

async function measure(
  server: ServerHandle,
  options: CalibrateOptions,
  type: 'open' | 'closed',
  loadOptions: Readonly<Record<string, unknown>>,
): Promise<{ readonly summary: TrialSummary; readonly drive: DriveResult }> {
  const { transport, folder, processes, signal } = options;
  const seeds = { schedule: '1', samples: '2' };
  const recordsPath = join(folder, 'calibration.arrow');
  const load = { type, options: loadOptions, preset: 'quick' as const };
  const job: DriveJob = {
    transport,
    url: server.addresses[transportNamed(transport).endpoint]!,
    model: server.metadata.name,
    connections: 64,
    timeoutNs: 10e9,
    load,
    samples: { name: 'random', count: 16 },
    seeds,
    warmUpNs: 500e6,
    mode: 'performance',
    judge: false,
    recordsPath,
  };
  const drive = await forkLoad(job, { signal, processes });
  signal.throwIfAborted();
  const plan = planFrom(load, seeds, 'quick');
  const summary = summarise({
    identity: {
      ...{ id: 'calibrate', system: 'null', load: type, loadType: type, transport },
      ...{ repeat: 1, order: 0, simulated: false },
    },
    records: readRecords(recordsPath),
    drive,
    load: loadFacts(type, loadOptions, plan, 'quick', {}),
    processes: [],
    targets: {},
    seed: 4n,
    scheduleSeed: seeds.schedule,
  });
  return { summary, drive };
}

/** Processor seconds a second. */
function coresOf({ cpu, durationNs }: DriveResult): number {
  return (cpu.userSeconds + cpu.systemSeconds) / (durationNs / 1e9);
}
