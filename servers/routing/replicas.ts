import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import type { ModelStatistics } from '../protocol/index.js';
import { type ForkOptions, forkServer, type ServerHandle } from '../server-handle.js';
import type { ServerSpec } from '../spec.js';
import type { GatewayHandle } from './gateway-handle.js';

/** What the n-th replica of a pool is started from, n from 0. */
export interface ReplicaTemplate {
  readonly weight: number;
  /** With a REST frontend, and a gRPC one where the gateway speaks gRPC. */
  readonly server: ServerSpec;
}

export interface ReplicaSetOptions {
  readonly pool: string;
  readonly gateway: Pick<GatewayHandle, 'join' | 'leave'>;
  template(n: number): ReplicaTemplate;
  fork(spec: ServerSpec): Pick<ForkOptions, 'onLine' | 'onEvent' | 'eventLoop'>;
  /** It answers, and requests go there. */
  onReady(server: ServerHandle): void;
  onEvent(text: string): void;
  readonly signal: AbortSignal;
}

const END_GRACE_MS = 3000;

interface Running {
  readonly n: number;
  readonly startedNs: number;
  readonly stopping: AbortController;
  server: ServerHandle | undefined;
  state: 'starting' | 'in' | 'leaving' | 'gone';
  endedNs: number | undefined;
  over: Promise<void>;
}

/** The replica processes of a pool: started, joined to the gateway, drained, stopped; and what they cost. */
export class ReplicaSet {
  readonly #all: Running[] = [];

  constructor(private readonly options: ReplicaSetOptions) {}

  /** Replicas that take requests. */
  get ready(): number {
    return this.#count('in');
  }

  /** Those, and those that are starting. */
  get wanted(): number {
    return this.#count('in') + this.#count('starting');
  }

  /** The metadata that the first one told; undefined before. */
  get first(): ServerHandle | undefined {
    return this.#all.find(({ server }) => server)?.server;
  }

  /** Starts so many at once. Resolves when they all answer; rejects with what one of them failed for. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#start()));
  }

  /** Starts or stops what is missing or too much, the newest first; does not wait for it. */
  scaleTo(count: number): void {
    while (this.wanted < count)
      this.#start().catch((error) => this.options.onEvent(`a replica did not start: ${messageOf(error)}`));
    while (this.wanted > count) void this.#stop(this.#newest());
  }

  /** Of those that run, by replica. */
  async statistics(): Promise<readonly (readonly ModelStatistics[])[]> {
    const running = this.#all.filter(({ state }) => state === 'in');
    return Promise.all(running.map(({ server }) => server!.statistics().catch(() => [])));
  }

  /** Seconds that replicas existed between two instants (nowNs): from the start of their process, ready or not. */
  seconds(fromNs: number, toNs: number): number {
    return this.#all.reduce((sum, { startedNs, endedNs = toNs }) => {
      return sum + Math.max(0, Math.min(endedNs, toNs) - Math.max(startedNs, fromNs)) / 1e9;
    }, 0);
  }

  /** All of them, at once; what they have under way is answered first. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#all.map(async (running) => {
        running.stopping.abort(new Error('the trial is over'));
        await running.over.catch(() => {});
        // Nobody waits for what may still be under way there.
        await running.server?.stop(END_GRACE_MS);
      }),
    );
  }

  #count(state: Running['state']): number {
    return this.#all.reduce((sum, running) => sum + (running.state === state ? 1 : 0), 0);
  }

  #newest(): Running {
    return (
      this.#all.findLast(({ state }) => state === 'starting') ?? this.#all.findLast(({ state }) => state === 'in')!
    );
  }

  #start(): Promise<void> {
    const running: Running = {
      n: this.#all.length,
      startedNs: nowNs(),
      stopping: new AbortController(),
      server: undefined,
      state: 'starting',
      endedNs: undefined,
      over: Promise.resolve(),
    };
    this.#all.push(running);
    running.over = this.#run(running);
    return running.over;
  }

  async #run(running: Running): Promise<void> {
    const { pool, gateway, template, fork, onReady, signal } = this.options;
    const { weight, server: spec } = template(running.n);
    try {
      const either = AbortSignal.any([signal, running.stopping.signal]);
      running.server = await forkServer(spec, { ...fork(spec), signal: either });
      void running.server.exited.then(() => this.#ended(running));
      if (!isStarting(running)) throw new Error('no longer wanted');
      await gateway.join(pool, {
        name: String(running.n),
        url: running.server.addresses.rest!,
        grpc: running.server.addresses.grpc,
        weight,
        instances: spec.instances ?? 1,
      });
      if (!isStarting(running)) {
        await gateway.leave(pool, String(running.n));
        throw new Error('no longer wanted');
      }
      running.state = 'in';
      onReady(running.server);
    } catch (error) {
      const wanted = isStarting(running);
      this.#ended(running);
      await running.server?.stop();
      if (wanted) throw error;
    }
  }

  async #stop(running: Running): Promise<void> {
    const wasIn = running.state === 'in';
    running.state = 'leaving';
    if (!wasIn) {
      running.stopping.abort(new Error('no longer wanted'));
      return;
    }
    await this.options.gateway.leave(this.options.pool, String(running.n)).catch(() => {});
    await running.server?.stop();
  }

  /** A replica that dies is the gateway's to live with: it is told, and ends nothing. */
  #ended(running: Running): void {
    if (running.endedNs !== undefined) return;
    running.endedNs = nowNs();
    if (running.state === 'in' && !this.options.signal.aborted && !running.stopping.signal.aborted)
      this.options.onEvent(`replica ${this.options.pool}/${running.n} has died`);
    running.state = 'gone';
  }
}

/** It may have been told to stop since one last looked. */
function isStarting(running: Running): boolean {
  return running.state === 'starting';
}
