import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DriveJob, DriveResult } from '../clients/job.js';
import { type ForkLoadOptions, forkLoad } from '../clients/load-handle.js';
import { transportNamed } from '../clients/transports/index.js';
import { compiledUrl } from '../results/compiled.js';
import { saidLast } from '../results/errors.js';
import type { TrialFacts } from '../results/facts.js';
import { type Monitored, type MonitorSet, startMonitors } from '../results/monitors/index.js';
import type { ModelStatistics } from '../servers/protocol/index.js';
import { forkServer, type ServerHandle } from '../servers/server-handle.js';
import type { ServerSpec } from '../servers/spec.js';
import { sumOfStatistics } from '../servers/statistics.js';
import type { TrialSpec } from './contract.js';
import type { TrialContext } from './trial.js';

/** The processes of one trial. */
export interface Session {
  /** `processes` share the load. */
  drive(job: DriveJob, signal: AbortSignal, processes?: number): Promise<DriveResult>;
  /** Gently, then firmly. */
  stop(): Promise<void>;
  /** After `drive`. */
  readonly statistics: TrialFacts['statistics'];
  readonly monitored: Monitored | undefined;
  /** Of a system behind a gateway. */
  readonly gateway?: TrialFacts['gateway'];
}

/** A server process and a load process that meet over a wire protocol. */
export class ServerSession implements Session {
  statistics: TrialFacts['statistics'];
  monitored: Monitored | undefined;
  #server: ServerHandle | undefined;
  readonly #endpoint: string;

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
    private readonly onLine: (line: string) => void,
  ) {
    this.#endpoint = transportNamed(spec.identity.transport).endpoint;
  }

  /** Both processes start at once: on few cores their start-up is half of a short trial. */
  async drive(job: DriveJob, signal: AbortSignal, processes = 1): Promise<DriveResult> {
    const monitors = await startMonitors(this.context.monitors);
    // A page of figures is asked for over HTTP, whatever the transport that is measured.
    const frontends = { [this.#endpoint]: { port: 0 }, ...(monitors.needsUrl ? { rest: { port: 0 } } : {}) };
    const { periodMs } = monitors;
    const starting = forkServer(serverSpec(this.spec, this.context, frontends), {
      signal,
      onLine: this.onLine,
      onEvent: this.context.onEvent,
      eventLoop: { periodMs, tell: (figures) => monitors.hear('server', figures) },
    });
    let marked = false;
    let before: ReturnType<typeof ask> | undefined;
    const pointless = new AbortController();
    const load = forkLoad(
      starting.then(async (server) => {
        monitors.watch({ role: 'server', pid: server.pid, url: server.addresses.rest });
        await monitors.idle(signal);
        return { ...job, url: server.addresses[this.#endpoint]!, model: server.metadata.name };
      }),
      {
        signal: AbortSignal.any([signal, pointless.signal]),
        cpus: this.spec.system.loadCpus,
        processes,
        onStart: (pid) => monitors.watch({ role: 'load', pid }),
        eventLoop: loadLoops(monitors),
        onProgress: (progress) => {
          if (progress.phase === 'measuring' && !marked) {
            marked = true;
            monitors.mark();
            before = ask(this.#server!);
          }
          this.context.onProgress(progress, () => monitors.recent());
        },
      },
    );
    load.catch(() => {});
    try {
      const server = await starting;
      this.#server = server;
      const result = await Promise.race([load, deathOf(server)]);
      this.monitored = await monitors.stop();
      // Of a graph that the server carries out: its own, of which those of its steps are a part.
      const { ensemble } = this.spec.system;
      const counts = ({ name }: ModelStatistics) => ensemble?.at !== 'server' || name === server.metadata.name;
      const first = sumOfStatistics(((await before) ?? []).filter(counts));
      const last = sumOfStatistics((await server.statistics()).filter(counts));
      this.statistics = first && last ? { before: first, after: last } : undefined;
      signal.throwIfAborted();
      return result;
    } finally {
      await monitors.stop();
      // A load that went on against a server that is gone would disturb the next trial.
      pointless.abort();
      await load.catch(() => {});
    }
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }
}

/** The load processes are told apart as their readings are: `load`, `load2` … */
export function loadLoops(monitors: MonitorSet): ForkLoadOptions['eventLoop'] {
  return {
    periodMs: monitors.periodMs,
    tell: (index, figures) => monitors.hear(index === 0 ? 'load' : `load${index + 1}`, figures),
  };
}

/** Rejects when the server ends: that must end the trial, not leave the load waiting for answers. */
function deathOf(server: ServerHandle): Promise<never> {
  const died = server.exited.then(({ code, signal: by }) => {
    const said = by ? '' : saidLast(server.lastLines(), 1);
    const how = by ? `killed by ${by}` : `exit code ${code}`;
    throw new Error(`the server process ended in mid-trial (${how})${said}`);
  });
  died.catch(() => {});
  return died;
}

/** A server that dies is told by its end; a question that it leaves open must not become an error of its own. */
function ask(server: ServerHandle): Promise<readonly ModelStatistics[] | undefined> {
  return server.statistics().catch(() => undefined);
}

/** Load and server core in one process of its own: nothing but function calls between them. */
export class InProcessSession implements Session {
  readonly statistics = undefined;
  monitored: Monitored | undefined;

  constructor(
    private readonly spec: TrialSpec,
    private readonly context: TrialContext,
    _onLine: (line: string) => void,
  ) {}

  async drive(job: DriveJob, signal: AbortSignal, processes = 1): Promise<DriveResult> {
    const program = compiledUrl(import.meta.url, './in-process.js');
    const monitors = await startMonitors(this.context.monitors);
    let marked = false;
    try {
      const result = await forkLoad(job, {
        signal,
        cpus: this.spec.system.serverCpus,
        processes,
        host: { program, spec: serverSpec(this.spec, this.context, {}) },
        onStart: (pid) => monitors.watch({ role: 'load', pid }),
        eventLoop: loadLoops(monitors),
        onProgress: (progress) => {
          if (progress.phase === 'measuring' && !marked) {
            marked = true;
            monitors.mark();
          }
          this.context.onProgress(progress, () => monitors.recent());
        },
      });
      this.monitored = await monitors.stop();
      signal.throwIfAborted();
      return result;
    } finally {
      await monitors.stop();
    }
  }

  async stop(): Promise<void> {}
}

/** Beside the records. */
function requestLogOf({ requestLog }: TrialSpec['system'], { trialFolder }: TrialContext): ServerSpec['requestLog'] {
  if (requestLog === undefined || trialFolder === undefined) return undefined;
  const path = join(trialFolder, 'requests.jsonl');
  // A trial that is done again does not go on with the old one's lines.
  rmSync(path, { force: true });
  return { path, sample: Math.min(1, requestLog) };
}

export function serverSpec(
  { system }: TrialSpec,
  context: TrialContext,
  frontends: ServerSpec['frontends'],
): ServerSpec {
  return {
    name: system.name,
    model: system.model,
    strategy: system.strategy,
    instances: system.instances,
    isolation: system.isolation,
    ensemble: system.ensemble && { ...system.ensemble, name: 'ensemble' },
    sharing: system.sharing?.map((other) => ({ ...other, profile: context.profile(other.model) })),
    others: system.others?.map((other) => ({ ...other, profile: context.profile(other.model) })),
    front: system.front,
    frontends,
    profile: context.profile(system.model),
    ...(system.processing ? { processing: system.processing === 'server' ? 'server' : 'none' } : {}),
    cpus: system.serverCpus,
    requestLog: requestLogOf(system, context),
  };
}
