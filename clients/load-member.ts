import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compiledUrl } from '../results/compiled.js';
import { saidLast, UserError } from '../results/errors.js';
import type { EventLoopFigures } from '../results/monitors/index.js';
import type { DriveJob, DriveProgress, DriveResult } from './job.js';
import type { FromLoad, ToLoad } from './load-messages.js';

interface MemberOptions {
  /** `the load process`, `load process 2 of 3`: how its errors call it. */
  readonly title: string;
  readonly onProgress: (progress: DriveProgress) => void;
  /** It has warmed up and waits for `start`. */
  readonly onReady: () => void;
  readonly eventLoopMs?: number | undefined;
  readonly onEventLoop?: ((figures: EventLoopFigures) => void) | undefined;
  readonly cpus?: string | undefined;
  readonly host?: { readonly program: URL; readonly spec: unknown } | undefined;
}

/** One load process. */
export interface Member {
  readonly pid: number | undefined;
  /** Rejects with UserError where the job is at fault, with LoadProcessError where the process failed or died. */
  readonly result: Promise<DriveResult>;
  /** Resolves once the process is gone. */
  readonly ended: Promise<void>;
  drive(job: DriveJob): void;
  start(originNs: number): void;
  /** Gently, then firmly. */
  abort(): void;
  /** It is needed no more. */
  release(): void;
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

export function startMember(options: MemberOptions): Member {
  const child = start(options);
  const lines = keepLastLines(child);
  const { title } = options;
  let force: NodeJS.Timeout | undefined;
  const ended = new Promise<void>((resolve) => {
    // `exit`, not `close`: after a disconnect from this side node never tells `close`.
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const result = new Promise<DriveResult>((resolve, reject) => {
    child.on('message', (message: FromLoad) => {
      if (message.kind === 'progress') options.onProgress(message);
      else if (message.kind === 'ready') options.onReady();
      else if (message.kind === 'eventLoop') options.onEventLoop?.(message.figures);
      else if (message.kind === 'result') resolve(message);
      else if (message.problems) reject(new UserError(message.problems));
      else reject(new LoadProcessError(`${FAILED(title)}: ${message.error}`, lines));
    });
    child.on('error', (error) => reject(new LoadProcessError(`${title}: ${error.message}`, lines)));
    // `close`, not `exit`: by then its last lines and messages have been read.
    child.on('close', (code, signal) => {
      clearTimeout(force);
      const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
      const said = signal ? '' : saidLast(lines, 1);
      reject(new LoadProcessError(`${title} ${how} before it told its result${said}`, lines));
    });
  });
  return {
    pid: child.pid,
    result,
    ended,
    drive: (job) => tell(child, { kind: 'drive', job, host: options.host?.spec, eventLoopMs: options.eventLoopMs }),
    start: (originNs) => tell(child, { kind: 'start', originNs }),
    abort() {
      tell(child, { kind: 'abort' });
      force ??= setTimeout(() => child.kill('SIGKILL'), ABORT_GRACE_MS);
    },
    release() {
      clearTimeout(force);
      if (child.connected) child.disconnect();
    },
  };
}

const FAILED = (title: string): string => (title === 'the load process' ? 'the load failed' : `${title} failed`);

/** From an abort to SIGKILL: longer than a load waits for its open requests, and it has its records to write. */
const ABORT_GRACE_MS = 20_000;

function start({ cpus, host }: MemberOptions): ChildProcess {
  const file = fileURLToPath(host?.program ?? compiledUrl(import.meta.url, './load-process.js'));
  // A larger young generation: fewer pauses among the requests. gc() is called once, before t = 0.
  // Collected by the sending thread alone: in real time it would wait for helpers that are ordinary threads, on a busy machine
  // for tens of milliseconds. A server core in this process keeps node's own way.
  const alone = host === undefined ? ['--single-threaded-gc'] : [];
  const execArgv = ['--expose-gc', '--max-semi-space-size=64', ...alone];
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
