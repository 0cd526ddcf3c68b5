import { nowNs } from '../results/clock.js';
import { UserError } from '../results/errors.js';
import type { EventLoopFigures } from '../results/monitors/index.js';
import type { DriveJob, DriveProgress, DriveResult } from './job.js';
import { type Member, startMember } from './load-member.js';
import { mergeProgress, mergeRecordFiles, mergeResults, partPath, removeParts } from './load-merge.js';

export { LoadProcessError } from './load-member.js';

export interface ForkLoadOptions {
  /** Ends the sending; the promise then resolves with what there is. A process that does not react is killed. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DriveProgress) => void) | undefined;
  /** A process has started; called once for each. */
  readonly onStart?: ((pid: number) => void) | undefined;
  /** The processes tell of their event loops, the `index`-th of them so often. */
  readonly eventLoop?: { readonly periodMs: number; tell(index: number, figures: EventLoopFigures): void } | undefined;
  /** CPU list that they are pinned to, `2-3` (Linux, taskset). */
  readonly cpus?: string | undefined;
  /** Another program than load-process.js, and what it hosts (load-body.ts): the in-process transport needs both. */
  readonly host?: { readonly program: URL; readonly spec: unknown } | undefined;
  /** How many share the load (share.ts); default 1. */
  readonly processes?: number | undefined;
}

/**
 * Carries out a job in one load process or several, which send one plan together. Rejects with UserError where the job is
 * at fault, with LoadProcessError where a process failed or died; an abort alone is no error. A job that is still to come
 * (its server starts meanwhile) finds the processes up; where it never comes, neither does a load.
 */
export async function forkLoad(job: DriveJob | Promise<DriveJob>, options: ForkLoadOptions = {}): Promise<DriveResult> {
  const count = options.processes ?? 1;
  if (count > 1 && options.host) throw oneProcessOnly();
  const group = new Group(count, options);
  const abort = () => group.abort();
  options.signal?.addEventListener('abort', abort);
  let recordsPath: string | undefined;
  try {
    const known = await Promise.race([job, group.failure]);
    recordsPath = known.recordsPath;
    group.drive(known);
    if (options.signal?.aborted) abort();
    const results = await Promise.race([group.results, group.failure]);
    if (count === 1) return results[0]!;
    mergeRecordFiles(recordsPath, count);
    return mergeResults(results);
  } catch (error) {
    // What one of them failed at, the others must not go on with: they would disturb the next trial.
    await group.end();
    if (recordsPath !== undefined && count > 1) removeParts(recordsPath, count);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
    group.release();
  }
}

/** From the order to start until t = 0: the order must have reached every process by then. */
const START_LEAD_NS = 25e6;

/** Several processes under one plan: nobody starts before all are ready. */
class Group {
  readonly results: Promise<DriveResult[]>;
  /** Never resolves; rejects with the first failure. */
  readonly failure: Promise<never>;
  private readonly members: readonly Member[];
  private readonly told: (DriveProgress | undefined)[];
  private ready = 0;
  private phase: DriveProgress['phase'] | undefined;
  private driving = false;

  constructor(
    private readonly count: number,
    private readonly options: ForkLoadOptions,
  ) {
    this.told = new Array<DriveProgress | undefined>(count).fill(undefined);
    this.members = Array.from({ length: count }, (_, index) =>
      startMember({
        title: count === 1 ? 'the load process' : `load process ${index + 1} of ${count}`,
        onProgress: (progress) => this.heard(index, progress),
        onReady: () => this.becameReady(),
        eventLoopMs: options.eventLoop?.periodMs,
        onEventLoop: (figures) => options.eventLoop?.tell(index, figures),
        cpus: options.cpus,
        host: options.host,
      }),
    );
    for (const { pid } of this.members) if (pid !== undefined) options.onStart?.(pid);
    this.results = Promise.all(this.members.map((member) => member.result));
    this.failure = this.results.then(() => new Promise<never>(() => {}));
    this.failure.catch(() => {});
  }

  drive(job: DriveJob): void {
    this.driving = true;
    for (const [index, member] of this.members.entries()) member.drive(partOf(job, index, this.count));
  }

  abort(): void {
    for (const member of this.members) member.abort();
  }

  /** After a failure: without a job they only wait, and end with their channel. */
  async end(): Promise<void> {
    if (this.driving) this.abort();
    else this.release();
    await Promise.all(this.members.map((member) => member.ended));
  }

  release(): void {
    for (const member of this.members) member.release();
  }

  private becameReady(): void {
    if (++this.ready < this.count) return;
    // The monotonic clock is the machine's: an instant read here means the same in every process of this host (METHOD.md).
    const originNs = nowNs() + START_LEAD_NS;
    for (const member of this.members) member.start(originNs);
  }

  /** The first one's rhythm is the group's, and every change of phase is told. */
  private heard(index: number, progress: DriveProgress): void {
    this.told[index] = progress;
    if (this.count === 1) {
      this.options.onProgress?.(progress);
      return;
    }
    const known = this.told.filter((one) => one !== undefined);
    if (known.length < this.count) return;
    const merged = mergeProgress(known);
    if (index !== 0 && merged.phase === this.phase) return;
    this.phase = merged.phase;
    this.options.onProgress?.(merged);
  }
}

function partOf(job: DriveJob, index: number, of: number): DriveJob {
  if (of === 1) return job;
  return {
    ...job,
    share: { index, of },
    connections: Math.ceil(job.connections / of),
    recordsPath: partPath(job.recordsPath, index),
    schedulePath: index === 0 ? job.schedulePath : undefined,
  };
}

function oneProcessOnly(): UserError {
  return new UserError({
    place: 'transport in-process',
    found: 'more than one load process',
    allowed: '1: load and server are one process there',
    remedy: 'Leave loadProcesses out, or use rest, rest-binary or grpc',
  });
}
