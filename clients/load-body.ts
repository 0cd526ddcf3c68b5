import { nowNs } from '../results/clock.js';
import { messageOf, UserError } from '../results/errors.js';
import { watchEventLoop } from '../results/event-loop.js';
import type { LoadScheduling } from '../results/scheduling.js';
import { createProcessing } from '../servers/processing/index.js';
import type { InferenceService } from '../servers/protocol/index.js';
import { drive } from './drive.js';
import type { DriveJob } from './job.js';
import type { FromLoad, ToLoad } from './load-messages.js';
import { apart, samplesNamed } from './samples/index.js';
import { chained, createTransport } from './transports/index.js';

/** A server core in the load process itself, for the in-process transport. */
export interface Hosted {
  readonly service: InferenceService;
  readonly model: string;
  close(): Promise<void>;
}

/**
 * The body of a load process: one job over the IPC channel, progress and one result back. It ends when it has told its
 * result, or when the channel closes; Ctrl-C is the parent's business, which sends `abort`. `host` makes the server core
 * of a job that brings one.
 */
export function loadBody(host?: (spec: unknown, signal: AbortSignal) => Promise<Hosted>): void {
  const aborter = new AbortController();
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('disconnect', () => process.exit(1));
  const start = new StartOrder(aborter.signal);
  process.on('message', (message: ToLoad) => {
    if (message.kind === 'abort') aborter.abort();
    else if (message.kind === 'start') start.given(message.originNs);
    else void carryOut(() => run(message, host, aborter.signal, start));
  });
}

/** Where one of several processes waits, warmed up, for the others. An abort ends the waiting. */
class StartOrder {
  private resolve: (originNs: number) => void = () => {};
  private readonly order = new Promise<number>((resolve) => {
    this.resolve = resolve;
  });

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.resolve(nowNs()));
  }

  given(originNs: number): void {
    this.resolve(originNs);
  }

  readonly meet = (): Promise<number> => {
    process.send?.({ kind: 'ready' } satisfies FromLoad);
    return this.order;
  };
}

async function carryOut(work: () => Promise<FromLoad>): Promise<void> {
  let last: FromLoad;
  try {
    last = await work();
  } catch (error) {
    const problems = error instanceof UserError ? error.problems : undefined;
    last = { kind: 'failed', error: messageOf(error), problems };
    if (!problems) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  }
  // Not before the message is through: exit would lose it.
  process.send?.(last, () => process.exit(0));
}

async function run(
  { job, host: spec, eventLoopMs }: Extract<ToLoad, { kind: 'drive' }>,
  host: Parameters<typeof loadBody>[0],
  signal: AbortSignal,
  start: StartOrder,
): Promise<FromLoad> {
  if (eventLoopMs !== undefined)
    watchEventLoop(eventLoopMs, (figures) => process.send?.({ kind: 'eventLoop', figures } satisfies FromLoad));
  if (spec === undefined) return driveAgainst({ ...job, scheduling: schedulingOf(job) }, undefined, signal, start);
  // A server core in this process is no load: it is to run as in a process of its own.
  const hosted = await host?.(spec, signal);
  try {
    const scheduling = 'ordinary';
    return await driveAgainst(
      { ...job, model: hosted?.model ?? job.model, scheduling },
      hosted?.service,
      signal,
      start,
    );
  } finally {
    await hosted?.close();
  }
}

/** Real time is for the clock that sends: what computes on this side (its threads inherit it) must leave room for the server. */
function schedulingOf({ scheduling = 'real-time', mode, processing }: DriveJob): LoadScheduling {
  if (mode === 'accuracy') return 'ordinary';
  return processing && scheduling === 'real-time' ? 'short-slices' : scheduling;
}

async function driveAgainst(
  job: DriveJob,
  service: InferenceService | undefined,
  signal: AbortSignal,
  start: StartOrder,
): Promise<FromLoad> {
  const judges = job.mode === 'accuracy' || job.judge || job.outputsPath !== undefined;
  const responses = judges || job.chain !== undefined || job.processing?.post !== undefined;
  const plain = createTransport(job.transport, { ...job, service, responses });
  const transport = job.chain ? chained(plain, job.chain) : plain;
  try {
    const served = job.metadata ?? (await transport.modelMetadata(signal));
    const processing = job.processing && (await createProcessing(job.processing, served));
    const library = await samplesNamed(job.samples.name).create({
      metadata: { ...served, inputs: processing?.pre?.inputs ?? served.inputs },
      seed: BigInt(job.seeds.samples),
      directory: job.samples.directory,
      count: job.samples.count,
      dims: job.samples.dims,
    });
    const samples = apart(library, job.samples.forPasses ?? 0).others;
    const meet = job.share && start.meet;
    return await drive(job, transport, samples, (progress) => process.send?.(progress), signal, meet, processing);
  } finally {
    await transport.close();
  }
}
