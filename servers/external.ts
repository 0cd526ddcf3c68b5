import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compiledUrl } from '../results/compiled.js';
import { messageOf, saidLast } from '../results/errors.js';
import { LastLines } from './executors/last-lines.js';

/** A server that is not ours: how to start it, to tell that it is ready, and to stop it. */
export interface ExternalProgram {
  /** Program and arguments; no shell looks at them. */
  readonly start: readonly [string, ...string[]];
  /** A command that must succeed before, or this machine can't run the server. */
  readonly needs?: readonly [string, ...string[]] | undefined;
  readonly stop: NodeJS.Signals;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Processors, as in `taskset -c`. */
  readonly cpus?: string | undefined;
  readonly readyTimeoutNs: number;
  readonly stopTimeoutNs: number;
}

export interface ExternalHandle {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  lastLines(): readonly string[];
  /** Its own signal first, SIGKILL after the time-out; to the whole process group. Resolves when it has ended. */
  stop(): Promise<void>;
}

/** This machine lacks what the server needs: no failure, a thing that can't be tried. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/**
 * Starts the program in a process group of its own and waits until `ready` says so. Rejects with Unavailable where the
 * program is not there or `needs` fails, with Error (and its last lines) where it ends or is not ready in time.
 */
export async function startExternal(
  program: ExternalProgram,
  ready: (signal: AbortSignal) => Promise<string | undefined>,
  signal: AbortSignal,
  onLine: (line: string) => void = () => {},
): Promise<ExternalHandle> {
  if (program.needs) await mustSucceed(program.needs, program);
  const running = await launch(program, onLine);
  try {
    await untilReady(running, program, ready, signal);
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function launch(program: ExternalProgram, onLine: (line: string) => void): Promise<ExternalHandle> {
  const [command, ...args] =
    program.cpus === undefined ? program.start : ['taskset', '-c', program.cpus, ...program.start];
  const child = spawn(command!, args, {
    cwd: program.cwd,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group: a stop reaches its workers too, and Ctrl-C is the parent's to decide on.
    detached: true,
  });
  const lines = new LastLines(40);
  lines.follow(child.stdout, onLine);
  lines.follow(child.stderr, onLine);
  const exited = new Promise<Awaited<ExternalHandle['exited']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Unavailable(`${command} is not on PATH`) : error),
    );
  });
  return { pid: child.pid!, exited, lastLines: () => lines.get(), stop: stopper(child, exited, program) };
}

function stopper(child: ChildProcess, exited: Promise<unknown>, { stop, stopTimeoutNs }: ExternalProgram) {
  let ended = false;
  const reaper = startReaper(child.pid!);
  void exited.then(() => {
    ended = true;
  });
  return async () => {
    if (!ended) toGroup(child, stop);
    await Promise.race([exited, delay(stopTimeoutNs / 1e6, undefined, { ref: false })]);
    // Also where the leader has ended: workers that it left behind are of its group.
    toGroup(child, 'SIGKILL');
    await exited;
    reaper.kill();
  };
}

/** Ends the group when this process has ended, however it did. */
function startReaper(leader: number): ChildProcess {
  const program = fileURLToPath(compiledUrl(import.meta.url, './external-reaper.js'));
  const reaper = spawn(process.execPath, [program, String(leader)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  reaper.unref();
  return reaper;
}

function toGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // The group is empty.
  }
}

const PERIOD_MS = 50;

/** `ready` says what is still missing, or nothing. */
async function untilReady(
  running: ExternalHandle,
  program: ExternalProgram,
  ready: (signal: AbortSignal) => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + program.readyTimeoutNs / 1e6;
  let over: Awaited<ExternalHandle['exited']> | undefined;
  void running.exited.then((exit) => {
    over = exit;
  });
  for (;;) {
    signal.throwIfAborted();
    const missing = await ready(AbortSignal.any([signal, AbortSignal.timeout(5000)])).catch(messageOf);
    if (missing === undefined && !over) return;
    if (over)
      throw new Error(`${program.start[0]} ended ${how(over)} before it was ready${saidLast(running.lastLines())}`);
    if (Date.now() > deadline)
      throw new Error(
        `${program.start[0]} is not ready after ${program.readyTimeoutNs / 1e9} s: ${missing}${saidLast(running.lastLines())}`,
      );
    await delay(PERIOD_MS);
  }
}

function how({ code, signal }: Awaited<ExternalHandle['exited']>): string {
  return signal ? `by ${signal}` : `with code ${code}`;
}

const NEEDS_TIMEOUT_MS = 60_000;

function mustSucceed([command, ...args]: readonly [string, ...string[]], { cwd, env }: ExternalProgram): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      { cwd, env: { ...process.env, ...env }, timeout: NEEDS_TIMEOUT_MS },
      (error, _out, stderr) => {
        if (!error) return resolve();
        const last = stderr.trim().split('\n').at(-1);
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        reject(
          new Unavailable(
            missing ? `${command} is not on PATH` : `${command} lacks what it needs: ${last || error.message}`,
          ),
        );
      },
    );
  });
}
