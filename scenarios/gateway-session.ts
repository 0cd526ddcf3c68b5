import type { DriveJob, DriveResult } from '../clients/job.js';
import { forkLoad } from '../clients/load-handle.js';
import { transportNamed } from '../clients/transports/index.js';
import { nowNs } from '../results/clock.js';
import type { TrialFacts } from '../results/facts.js';
import type { GatewayCounts, GatewayFacts } from '../results/gateway.js';
import { type Monitored, type MonitorSet, startMonitors } from '../results/monitors/index.js';
import { Unavailable } from '../servers/external.js';
import { autoscale } from '../servers/routing/autoscale.js';
import {
  forkGateway,
  type GatewayHandle,
  type ProgramName,
  ReplicaSet,
  type ReplicaSpec,
  startProgram,
} from '../servers/routing/index.js';
import type { SystemSpec, TrialSpec } from './contract.js';
import { freePort } from './external-system.js';
import { replicaServer } from './gateway-system.js';
import { loadLoops, type Session, serverSpec } from './session.js';
import type { TrialContext } from './trial.js';

/** A gateway process, replica processes behind it, and load processes that only know the gateway. */
export class GatewaySession implements Session {
  statistics: TrialFacts['statistics'];
  monitored: Monitored | undefined;
  gateway: GatewayFacts | undefined;
  readonly #sets: ReplicaSet[] = [];
  readonly #endpoint: 'rest' | 'grpc' | 'none';
  #front: Front | undefined;
  #stopScaling: () => void = () => {};

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
    private readonly onLine: (line: string) => void,
  ) {
    this.#endpoint = transportNamed(spec.identity.transport).endpoint;
  }

  /** Throws Unavailable where the transport does not pass the gateway. */
  async drive(job: DriveJob, signal: AbortSignal, processes = 1): Promise<DriveResult> {
    if (this.#endpoint === 'none')
      throw new Unavailable('there is no gateway in-process; expected rest, rest-binary or grpc');
    const monitors = await startMonitors(this.context.monitors);
    try {
      const front = this.#isBuiltIn() ? await this.#startGateway() : undefined;
      const found: ReplicaSpec[] = [];
      // Another program is told of its replicas once, when they are all there.
      const members = front?.handle ?? {
        join: async (_pool: string, replica: ReplicaSpec) => void found.push(replica),
        leave: async () => {},
      };
      const primary = await this.#startPools(members, monitors, signal);
      this.#front = front ?? (await this.#startProgram(found, signal));
      monitors.watch({ role: 'gateway', pid: this.#front.pid, url: this.#front.url });
      return await this.#load(
        { ...job, url: this.#front.address, model: primary.first!.metadata.name },
        { front: this.#front, primary, monitors, signal, processes },
      );
    } finally {
      this.#stopScaling();
      await monitors.stop();
    }
  }

  async stop(): Promise<void> {
    this.#stopScaling();
    await this.#front?.stop();
    await Promise.all(this.#sets.map((set) => set.stop()));
  }

  #isBuiltIn(): boolean {
    return this.spec.system.gateway!.program === 'servemark';
  }

  async #startGateway(): Promise<Front & { readonly handle: GatewayHandle }> {
    const { gateway, serverCpus } = this.spec.system;
    const { balancing, route, to, seed } = gateway!;
    const pools = to ? [PRIMARY, to.name] : [PRIMARY];
    const grpc = this.#endpoint === 'grpc';
    const handle = await forkGateway({ port: 0, pools, grpc, balancing, route, seed, cpus: serverCpus }, this.onLine);
    const { pid, url, exited } = handle;
    const front = { handle, pid, url, address: grpc ? handle.grpc! : url, exited, stop: () => handle.stop() };
    this.#front = front;
    return front;
  }

  /** Throws Unavailable where it is not installed. */
  async #startProgram(found: readonly ReplicaSpec[], signal: AbortSignal): Promise<Front> {
    const { program, balancing } = this.spec.system.gateway!;
    const replicas = found.toSorted((a, b) => Number(a.name) - Number(b.name));
    const protocol = this.#endpoint === 'grpc' ? 'grpc' : 'rest';
    const { exited, ...rest } = await startProgram(
      program as ProgramName,
      { protocol, port: await freePort(), replicas, balancing },
      signal,
      this.onLine,
    );
    return { ...rest, exited: exited.then(({ code, signal: by }) => (by ? `killed by ${by}` : `exit code ${code}`)) };
  }

  async #startPools(handle: Members, monitors: MonitorSet, signal: AbortSignal): Promise<ReplicaSet> {
    const { system } = this.spec;
    const { to } = system.gateway!;
    const primary = this.#pool(PRIMARY, system, 0, handle, monitors, signal);
    const other = to && this.#pool(to.name, to, OTHERS, handle, monitors, signal);
    await Promise.all([primary.start(system.replicas!.length), other?.start(to?.replicas?.length ?? 1)]);
    return primary;
  }

  #pool(
    pool: string,
    system: SystemSpec,
    firstReplica: number,
    gateway: Members,
    monitors: MonitorSet,
    signal: AbortSignal,
  ): ReplicaSet {
    const frontends = { rest: { port: 0 }, ...(this.#endpoint === 'grpc' ? { grpc: { port: 0 } } : {}) };
    const base = serverSpec({ ...this.spec, system }, this.context, frontends);
    const set = new ReplicaSet({
      pool,
      gateway,
      template: (n) => ({
        weight: system.replicas?.[n]?.weight ?? 1,
        server: replicaServer(base, system, n, (firstReplica + n) % REPLICA_IDS),
      }),
      fork: () => ({ onLine: this.onLine, onEvent: this.context.onEvent }),
      onReady: (server) => monitors.watch({ role: 'server', pid: server.pid, url: server.addresses.rest }),
      onEvent: this.context.onEvent,
      signal,
    });
    this.#sets.push(set);
    return set;
  }

  async #load(job: DriveJob, { front, primary, monitors, signal, processes }: Running): Promise<DriveResult> {
    const told = new Course(primary);
    const note = monitors.series({
      source: 'gateway',
      subject: PRIMARY,
      metric: 'replicas',
      unit: 'count',
      kind: 'gauge',
    });
    await monitors.idle(signal);
    const watching = setInterval(() => note(told.look()), monitors.periodMs);
    const { handle } = front;
    const pointless = new AbortController();
    let begin: Promise<Begin> | undefined;
    const load = forkLoad(job, {
      signal: AbortSignal.any([signal, pointless.signal]),
      cpus: this.spec.system.loadCpus,
      processes,
      onStart: (pid) => monitors.watch({ role: 'load', pid }),
      eventLoop: loadLoops(monitors),
      onProgress: (progress) => {
        if (progress.phase === 'measuring' && !begin) {
          monitors.mark();
          told.begin();
          // Warm-up comes as fast as it is answered: that is no load to scale by.
          if (handle) this.#scale(handle, primary);
          begin = Promise.all([handle?.counts(), countersOf(primary)]);
          begin.catch(() => {});
        }
        this.context.onProgress(progress, () => monitors.recent());
      },
    });
    load.catch(() => {});
    try {
      const result = await Promise.race([load, deathOf(front)]);
      const [before, countersBefore] = (await begin) ?? [];
      const after = await handle?.counts();
      const countersAfter = await countersOf(primary);
      this.gateway = told.facts(this.spec.system, before && after && { before, after });
      // Replicas that came or went take their counters along.
      if (countersBefore && countersAfter && !this.spec.system.autoscaler)
        this.statistics = { before: countersBefore, after: countersAfter };
      this.monitored = await monitors.stop();
      signal.throwIfAborted();
      return result;
    } finally {
      clearInterval(watching);
      pointless.abort();
      await load.catch(() => {});
    }
  }

  #scale(handle: GatewayHandle, primary: ReplicaSet): void {
    const { autoscaler, instances } = this.spec.system;
    if (!autoscaler) return;
    const { name, intervalNs, options } = autoscaler;
    this.#stopScaling = autoscale(primary, {
      ...{ name, intervalNs, options, instances },
      counts: () => handle.counts(),
      onScale: (from, to) => this.context.onEvent(`${name}: ${from} → ${to} replicas`),
    });
  }
}

const PRIMARY = 'primary';
/** Numbers of the other pool's replicas: no two of one gateway's have the same execution ids. */
const OTHERS = 128;
const REPLICA_IDS = 256;

type Members = Pick<GatewayHandle, 'join' | 'leave'>;

/** What the load talks to; `handle` is the built-in gateway's. */
interface Front {
  readonly pid: number;
  /** Of the transport that is measured. */
  readonly address: string;
  /** Where it tells its figures. */
  readonly url?: string | undefined;
  readonly exited: Promise<string>;
  readonly handle?: GatewayHandle | undefined;
  stop(): Promise<void>;
}

interface Running {
  readonly front: Front;
  readonly primary: ReplicaSet;
  readonly monitors: MonitorSet;
  readonly signal: AbortSignal;
  readonly processes: number;
}

type Begin = [GatewayCounts | undefined, Counters | undefined];
type Counters = NonNullable<TrialFacts['statistics']>['before'];

/** Replicas over the measured window. */
class Course {
  #beginNs: number | undefined;
  #first = 0;
  #most = 0;

  constructor(private readonly set: ReplicaSet) {}

  begin(): void {
    this.#beginNs = nowNs();
    this.#first = this.set.ready;
    this.#most = this.#first;
  }

  look(): number {
    const { ready } = this.set;
    this.#most = Math.max(this.#most, ready);
    return ready;
  }

  facts({ gateway, autoscaler }: SystemSpec, counts: GatewayFacts['counts'] | undefined): GatewayFacts {
    const { balancing, program } = gateway!;
    const now = nowNs();
    return {
      algorithm: balancing.algorithm,
      level: balancing.level,
      program,
      counts: counts ?? null,
      autoscaler: autoscaler?.name ?? null,
      replicaSeconds: this.set.seconds(this.#beginNs ?? now, now),
      replicas: { first: this.#first, most: Math.max(this.#most, this.set.ready), last: this.set.ready },
    };
  }
}

/** The replicas' counters, added up; undefined where one does not tell. */
async function countersOf(set: ReplicaSet): Promise<Counters | undefined> {
  const all = (await set.statistics()).map(([first]) => first);
  if (all.length === 0 || all.some((each) => each === undefined)) return undefined;
  const sizes = new Map<number, number>();
  let hits = 0;
  for (const each of all) {
    hits += each!.inference_stats.cache_hit.count;
    for (const { batch_size, compute_infer } of each!.batch_stats)
      sizes.set(batch_size, (sizes.get(batch_size) ?? 0) + compute_infer.count);
  }
  return {
    inference_stats: { cache_hit: { count: hits } },
    batch_stats: [...sizes].map(([batch_size, count]) => ({ batch_size, compute_infer: { count } })),
  };
}

/** A replica that dies is the gateway's to live with; without the gateway there is no trial. */
function deathOf({ exited }: Front): Promise<never> {
  const died = exited.then((how) => {
    throw new Error(`the gateway process ended in mid-trial (${how})`);
  });
  died.catch(() => {});
  return died;
}
