import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compiledUrl } from '../results/compiled.js';
import { UserError } from '../results/errors.js';
import type { DriveJob, DriveProgress, DriveResult } from './job.js';
import type { FromLoad, ToLoad } from './load-messages.js';

export interface ForkLoadOptions {
  /** Ends the sending; the promise then resolves with what there is. A process that does not react is killed. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DriveProgress) => void) | undefined;
  /** The process has started. */
  readonly onStart?: ((pid: number) => void) | undefined;
  /** CPU list it is pinned to, `2-3` (Linux, taskset). */
  readonly cpus?: string | undefined;
  /** Another program than load-process.js, and what it hosts (load-body.ts): the in-process transport needs both. */
  readonly host?: { readonly program: URL; readonly spec: unknown } | undefined;
}

/** The load process failed or died. */
export class LoadProcessError extends Error {
  override readonly name = 'LoadProcessError';

  constructor(
    message: string,
    /** The last lines it wrote to its standard error. */
    readonly lastLines: readonly string[],
  ) {
    super(message);
  }
}

/**
 * Carries out a job in a load process of its own. Rejects with UserError where the job is at fault, with LoadProcessError
 * where the process failed or died; an abort alone is no error. A job that is still to come (its server starts meanwhile)
 * finds the process up; where it never comes, neither does a load.
 */
export async function forkLoad(job: DriveJob | Promise<DriveJob>, options: ForkLoadOptions = {}): Promise<DriveResult> {
  const child = start(options);
  const lines = keepLastLines(child);
  if (child.pid !== undefined) options.onStart?.(child.pid);
  let force: NodeJS.Timeout | undefined;
  const abort = () => {
    tell(child, { kind: 'abort' });
    force ??= setTimeout(() => child.kill('SIGKILL'), ABORT_GRACE_MS);
  };
  options.signal?.addEventListener('abort', abort);
  try {
    return await new Promise<DriveResult>((resolve, reject) => {
      child.on('message', (message: FromLoad) => {
        if (message.kind === 'progress') options.onProgress?.(message);
        else if (message.kind === 'result') resolve(message);
        else if (message.problems) reject(new UserError(message.problems));
        else reject(new LoadProcessError(`the load failed: ${message.error}`, lines));
      });
      child.on('error', (error) => reject(new LoadProcessError(`the load process: ${error.message}`, lines)));
      // `close`, not `exit`: by then its last lines and messages have been read.
      child.on('close', (code, signal) => {
        const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
        reject(new LoadProcessError(`the load process ${how} before it told its result`, lines));
      });
      Promise.resolve(job).then((known) => {
        tell(child, { kind: 'drive', job: known, host: options.host?.spec });
        if (options.signal?.aborted) abort();
      }, reject);
    });
  } finally {
    options.signal?.removeEventListener('abort', abort);
    clearTimeout(force);
    if (child.connected) child.disconnect();
  }
}

/** From an abort to SIGKILL: longer than a load waits for its open requests, and it has its records to write. */
const ABORT_GRACE_MS = 20_000;

function start({ cpus, host }: ForkLoadOptions): ChildProcess {
  const file = fileURLToPath(host?.program ?? compiledUrl(import.meta.url, './load-process.js'));
  // A larger young generation: fewer pauses among the requests. gc() is called once, before t = 0.
  const execArgv = ['--expose-gc', '--max-semi-space-size=64'];
  const stdio: ('ignore' | 'pipe' | 'ipc')[] = ['ignore', 'ignore', 'pipe', 'ipc'];
  if (cpus === undefined) return fork(file, { execArgv, stdio });
  return fork(file, { execPath: 'taskset', execArgv: ['-c', cpus, process.execPath, ...execArgv], stdio });
}

function tell(child: ChildProcess, message: ToLoad): void {
  // A process that has just died tells so by its own events.
  if (child.connected) child.send(message, () => {});
}

const LAST_LINES = 20;

function keepLastLines(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  if (!child.stderr) return lines;
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > LAST_LINES) lines.shift();
  });
  return lines;
}
