import type { DriveJob, DriveResult } from '../clients/job.js';
import { forkLoad } from '../clients/load-handle.js';
import { transportNamed } from '../clients/transports/index.js';
import { compiledUrl } from '../results/compiled.js';
import type { TrialFacts } from '../results/facts.js';
import type { Monitor } from '../results/monitors/index.js';
import { proc } from '../results/monitors/proc.js';
import type { ProcessUsage } from '../results/summary.js';
import type { ModelStatistics } from '../servers/protocol/index.js';
import { forkServer, type ServerHandle } from '../servers/server-handle.js';
import type { ServerSpec } from '../servers/spec.js';
import type { TrialSpec } from './contract.js';
import type { TrialContext } from './trial.js';

/** The processes of one trial. */
export interface Session {
  start(signal: AbortSignal): Promise<void>;
  drive(job: DriveJob, signal: AbortSignal): Promise<DriveResult>;
  /** Gently, then firmly. */
  stop(): Promise<void>;
  /** After `drive`. */
  readonly statistics: TrialFacts['statistics'];
  readonly processes: readonly ProcessUsage[];
}

const MONITOR_PERIOD_MS = 200;

/** A server process and a load process that meet over a wire protocol. */
export class ServerSession implements Session {
  statistics: TrialFacts['statistics'];
  processes: readonly ProcessUsage[] = [];
  #server: ServerHandle | undefined;
  readonly #endpoint: string;

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
    private readonly onLine: (line: string) => void,
  ) {
    this.#endpoint = transportNamed(spec.identity.transport).endpoint;
  }

  async start(signal: AbortSignal): Promise<void> {
    const spec = serverSpec(this.spec, this.context, { [this.#endpoint]: { port: 0 } });
    this.#server = await forkServer(spec, { signal, onLine: this.onLine, onEvent: this.context.onEvent });
  }

  async drive(job: DriveJob, signal: AbortSignal): Promise<DriveResult> {
    const server = this.#server!;
    const watch = new Watch(server.pid);
    let before: ReturnType<typeof ask> | undefined;
    const endpoint = { url: server.addresses[this.#endpoint]!, model: server.metadata.name };
    // A server that dies must end the trial, not leave the load waiting for answers.
    const died = server.exited.then(({ code, signal: by }) => {
      throw new Error(`the server process ended in mid-trial (${by ? `killed by ${by}` : `exit code ${code}`})`);
    });
    const pointless = new AbortController();
    const load = forkLoad(
      { ...job, ...endpoint },
      {
        signal: AbortSignal.any([signal, pointless.signal]),
        cpus: this.spec.system.loadCpus,
        onStart: (pid) => watch.start(pid),
        onProgress: (progress) => {
          if (progress.phase === 'measuring' && watch.mark()) before = ask(server);
          this.context.onProgress(progress);
        },
      },
    );
    try {
      const result = await Promise.race([load, died]);
      this.processes = watch.stop();
      const [first] = (await before) ?? [];
      const [last] = await server.statistics();
      this.statistics = first && last ? { before: first, after: last } : undefined;
      signal.throwIfAborted();
      return result;
    } finally {
      watch.stop();
      died.catch(() => {});
      // A load that went on against a server that is gone would disturb the next trial.
      pointless.abort();
      await load.catch(() => {});
    }
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }
}

/** A server that dies is told by its end; a question that it leaves open must not become an error of its own. */
function ask(server: ServerHandle): Promise<readonly ModelStatistics[] | undefined> {
  return server.statistics().catch(() => undefined);
}

/** Load and server core in one process of its own: nothing but function calls between them. */
export class InProcessSession implements Session {
  readonly statistics = undefined;
  processes: readonly ProcessUsage[] = [];

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
    _onLine: (line: string) => void,
  ) {}

  async start(): Promise<void> {}

  async drive(job: DriveJob, signal: AbortSignal): Promise<DriveResult> {
    const program = compiledUrl(import.meta.url, './in-process.js');
    const watch = new Watch(undefined);
    try {
      const result = await forkLoad(job, {
        signal,
        cpus: this.spec.system.serverCpus,
        host: { program, spec: serverSpec(this.spec, this.context, {}) },
        onStart: (pid) => watch.start(pid),
        onProgress: (progress) => {
          if (progress.phase === 'measuring') watch.mark();
          this.context.onProgress(progress);
        },
      });
      this.processes = watch.stop();
      signal.throwIfAborted();
      return result;
    } finally {
      watch.stop();
    }
  }

  async stop(): Promise<void> {}
}

/** The process monitor of a trial, if this system has one: from the first sign of measuring to the result. */
class Watch {
  #monitor: Monitor | undefined;
  #marked = false;

  constructor(private readonly serverPid: number | undefined) {}

  start(loadPid: number): void {
    if (proc.unavailable() !== undefined) return;
    const server = this.serverPid === undefined ? [] : [{ role: 'server', pid: this.serverPid }];
    this.#monitor = proc.start([...server, { role: 'load', pid: loadPid }], MONITOR_PERIOD_MS);
  }

  /** True at the first call. */
  mark(): boolean {
    if (this.#marked) return false;
    this.#marked = true;
    this.#monitor?.mark();
    return true;
  }

  stop(): readonly ProcessUsage[] {
    const usage = this.#monitor?.stop() ?? [];
    this.#monitor = undefined;
    return usage;
  }
}

function serverSpec({ system }: TrialSpec, context: TrialContext, frontends: ServerSpec['frontends']): ServerSpec {
  return {
    name: system.name,
    model: system.model,
    strategy: system.strategy,
    instances: system.instances,
    isolation: system.isolation,
    frontends,
    profile: context.profile(system),
    cpus: system.serverCpus,
  };
}
