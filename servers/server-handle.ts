import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiledUrl } from '../results/compiled.js';
import { saidLast, UserError } from '../results/errors.js';
import type { EventLoopFigures } from '../results/monitors/index.js';
import { formatDuration } from '../results/units.js';
import { LastLines } from './executors/last-lines.js';
import type { FromServer, ServerInfo, ToServer } from './messages.js';
import type { ModelStatistics } from './protocol/index.js';
import type { ServerSpec, ServerUsage } from './spec.js';

/** A server process, seen from its parent. */
export interface ServerHandle extends ServerInfo {
  /** One entry a model. Rejects where the process has ended, or does not answer. */
  statistics(): Promise<readonly ModelStatistics[]>;
  usage(): Promise<ServerUsage>;
  /** Gently (drain), then, after `graceMs`, firmly (SIGKILL). Resolves when it has ended. */
  stop(graceMs?: number): Promise<ServerExit>;
  /** Resolves when the process ends, for whatever reason. */
  readonly exited: Promise<ServerExit>;
  /** What it wrote last. */
  lastLines(): readonly string[];
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ForkOptions {
  /** Aborting while it starts stops it, and the promise rejects; afterwards `stop` is the caller's. */
  readonly signal?: AbortSignal | undefined;
  /** A line that the server or its workers wrote. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** It tells of its event loop so often. */
  readonly eventLoop?: { readonly periodMs: number; tell(figures: EventLoopFigures): void } | undefined;
  /** Something unusual: an instance died, or is back. */
  readonly onEvent?: ((text: string) => void) | undefined;
  /** A question that it leaves open for so long is given up: its thread is stuck. Default 30 s. */
  readonly patienceMs?: number | undefined;
}

const STOP_GRACE_MS = 10_000;
const PATIENCE_MS = 30_000;

/** Start a server in a process of its own. Rejects with UserError where the spec is wrong, with Error where it died. */
export async function forkServer(spec: ServerSpec, options: ForkOptions = {}): Promise<ServerHandle> {
  options.signal?.throwIfAborted();
  const child = new ServerProcess(options);
  const abort = () => void child.stop(0);
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    const info = await child.start(spec);
    return {
      ...info,
      statistics: () => child.ask('statistics'),
      usage: () => child.ask('usage'),
      stop: (graceMs) => child.stop(graceMs),
      exited: child.exited,
      lastLines: () => child.lines.get(),
    };
  } catch (error) {
    await child.stop(0);
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

type Answers = {
  readonly statistics: readonly ModelStatistics[];
  readonly usage: ServerUsage;
};

class ServerProcess {
  readonly exited: Promise<ServerExit>;
  readonly lines = new LastLines(40);
  readonly #child: ChildProcess;
  readonly #options: ForkOptions;
  readonly #asked = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #questions = 0;
  #over = false;
  #settleStart: { resolve(info: ServerInfo): void; reject(error: Error): void } | undefined;

  constructor(options: ForkOptions) {
    this.#options = options;
    this.#child = fork(fileURLToPath(compiledUrl(import.meta.url, './server-process.js')), [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A young generation that does not have to grow first. Large bodies count against it: with node's first 1 MB they outlive
      // it, and the collector runs over the whole heap instead; half the processor time of a request of 600 kB.
      // And nothing is made old from the start: V8 does that with what often outlives a collection, as what waits in a queue does.
      // Once answered it is dead but not collected, and what it points at outlives every collection: .8 MB of each 16.
      execArgv: ['--min-semi-space-size=16', '--no-allocation-site-pretenuring'],
    });
    this.lines.follow(this.#child.stdout, options.onLine);
    this.lines.follow(this.#child.stderr, options.onLine);
    this.#child.on('message', (message) => this.#receive(message as FromServer));
    // A send to a process that has just died fails; its exit tells the story.
    this.#child.on('error', () => {});
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#ended({ code, signal });
        resolve({ code, signal });
      });
    });
  }

  start(spec: ServerSpec): Promise<ServerInfo> {
    return new Promise((resolve, reject) => {
      this.#settleStart = { resolve, reject };
      this.#send({ kind: 'start', spec, eventLoopMs: this.#options.eventLoop?.periodMs });
    });
  }

  ask<Kind extends keyof Answers>(kind: Kind): Promise<Answers[Kind]> {
    if (this.#over) return Promise.reject(new Error('the server process has ended'));
    const n = ++this.#questions;
    const { patienceMs = PATIENCE_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => this.#giveUp(n, kind, patienceMs), patienceMs);
      const settled = <Value>(settle: (value: Value) => void) => {
        return (value: Value) => {
          clearTimeout(patience);
          settle(value);
        };
      };
      this.#asked.set(n, { resolve: settled(resolve), reject: settled(reject) });
      this.#send({ kind, n });
    });
  }

  async stop(graceMs = STOP_GRACE_MS): Promise<ServerExit> {
    if (this.#over) return this.exited;
    this.#send({ kind: 'stop' });
    const force = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const exit = await this.exited;
    clearTimeout(force);
    return exit;
  }

  #send(message: ToServer): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #receive(message: FromServer): void {
    if (message.kind === 'ready') this.#settleStart?.resolve(message.info);
    else if (message.kind === 'failed')
      this.#settleStart?.reject(message.problems ? new UserError(message.problems) : new Error(message.error));
    else if (message.kind === 'eventLoop') this.#options.eventLoop?.tell(message.figures);
    else if (message.kind === 'event') this.#options.onEvent?.(message.text);
    else if (message.kind === 'usage') this.#answer(message.n, message.usage);
    else this.#answer(message.n, message.statistics);
  }

  #answer(n: number, value: unknown): void {
    this.#asked.get(n)?.resolve(value as never);
    this.#asked.delete(n);
  }

  /** A strategy that never returns holds the server's only thread: nobody waits for it for ever. */
  #giveUp(n: number, kind: string, patienceMs: number): void {
    const after = formatDuration(patienceMs * 1e6);
    this.#asked.get(n)?.reject(new Error(`the server process did not tell its ${kind} within ${after}: it is stuck`));
    this.#asked.delete(n);
  }

  #ended({ code, signal }: ServerExit): void {
    this.#over = true;
    const how = signal ? `killed by ${signal}` : `exit code ${code}`;
    const error = new Error(`the server process ended (${how})${saidLast(this.lines.get())}`);
    this.#settleStart?.reject(error);
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
