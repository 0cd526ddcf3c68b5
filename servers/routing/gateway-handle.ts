import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiledUrl } from '../../results/compiled.js';
import { saidLast, UserError } from '../../results/errors.js';
import type { GatewayCounts } from '../../results/gateway.js';
import { LastLines } from '../executors/last-lines.js';
import type { GatewaySpec, ReplicaSpec } from './contract.js';
import type { FromGateway, ToGateway } from './messages.js';

/** A gateway process, seen from its parent. All but `stop` reject where it has ended. */
export interface GatewayHandle {
  readonly pid: number;
  readonly url: string;
  /** `127.0.0.1:8001`, where it speaks gRPC too. */
  readonly grpc: string | undefined;
  join(pool: string, replica: ReplicaSpec): Promise<void>;
  /** Resolves when nothing is under way there. */
  leave(pool: string, name: string): Promise<void>;
  counts(): Promise<GatewayCounts>;
  /** Gently, then, after `graceMs`, firmly. */
  stop(graceMs?: number): Promise<void>;
  /** Resolves, with how, when the process ends. */
  readonly exited: Promise<string>;
}

/** Start a gateway in a process of its own. Rejects with UserError where the spec is wrong, with Error where it died. */
export async function forkGateway(spec: GatewaySpec, onLine?: (line: string) => void): Promise<GatewayHandle> {
  const child = new GatewayProcess(onLine);
  try {
    const { pid, url, grpc } = await child.start(spec);
    return {
      pid,
      url,
      grpc,
      join: async (pool, replica) => void (await child.ask({ kind: 'join', pool, replica })),
      leave: async (pool, name) => void (await child.ask({ kind: 'leave', pool, name })),
      counts: () => child.ask({ kind: 'counts' }),
      stop: (graceMs) => child.stop(graceMs),
      exited: child.exited,
    };
  } catch (error) {
    await child.stop(0);
    throw error;
  }
}

const STOP_GRACE_MS = 5000;

type Question = Extract<ToGateway, { readonly n: number }>;
type Ready = Extract<FromGateway, { readonly kind: 'ready' }>;
type Unnumbered<Message> = Message extends unknown ? Omit<Message, 'n'> : never;

class GatewayProcess {
  readonly exited: Promise<string>;
  readonly #lines = new LastLines(40);
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, { resolve(counts: GatewayCounts): void; reject(error: Error): void }>();
  #questions = 0;
  #over: Error | undefined;
  #started: { resolve(ready: Ready): void; reject(error: Error): void } | undefined;

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#child = fork(fileURLToPath(compiledUrl(import.meta.url, './gateway-process.js')), [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.#lines.follow(this.#child.stdout, onLine);
    this.#lines.follow(this.#child.stderr, onLine);
    this.#child.on('message', (message) => this.#receive(message as FromGateway));
    // A send to a process that has just died fails; its exit tells the story.
    this.#child.on('error', () => {});
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        const how = signal ? `killed by ${signal}` : `exit code ${code}`;
        this.#ended(how);
        resolve(how);
      });
    });
  }

  start(spec: GatewaySpec): Promise<Ready> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      this.#send({ kind: 'start', spec });
    });
  }

  ask(question: Unnumbered<Question>): Promise<GatewayCounts> {
    if (this.#over) return Promise.reject(this.#over);
    const n = ++this.#questions;
    return new Promise((resolve, reject) => {
      this.#asked.set(n, { resolve, reject });
      this.#send({ ...question, n } as Question);
    });
  }

  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    if (this.#over) return;
    this.#send({ kind: 'stop' });
    const force = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(force);
  }

  #send(message: ToGateway): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #receive(message: FromGateway): void {
    if (message.kind === 'ready') this.#started?.resolve(message);
    else if (message.kind === 'failed')
      this.#started?.reject(message.problems ? new UserError(message.problems) : new Error(message.error));
    else {
      this.#asked.get(message.n)?.resolve(message.counts);
      this.#asked.delete(message.n);
    }
  }

  #ended(how: string): void {
    this.#over = new Error(`the gateway process ended (${how})${saidLast(this.#lines.get())}`);
    this.#started?.reject(this.#over);
    for (const { reject } of this.#asked.values()) reject(this.#over);
    this.#asked.clear();
  }
}
