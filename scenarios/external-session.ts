import type { DriveJob, DriveResult } from '../clients/job.js';
import { forkLoad } from '../clients/load-handle.js';
import { samplesNamed } from '../clients/samples/index.js';
import { type CallResult, createTransport, type Transport, transportNamed } from '../clients/transports/index.js';
import { messageOf } from '../results/errors.js';
import type { TrialFacts } from '../results/facts.js';
import { type Monitored, startMonitors } from '../results/monitors/index.js';
import { type ExternalHandle, startExternal, Unavailable } from '../servers/external.js';
import { inspectModel, resolveModel } from '../servers/models/index.js';
import type { ModelMetadata, ModelStatistics } from '../servers/protocol/index.js';
import type { ExternalSpec, TrialSpec } from './contract.js';
import { type ResolvedExternal, resolveExternal } from './external-system.js';
import type { Session } from './session.js';
import type { TrialContext } from './trial.js';

/**
 * A server that is not ours, for one trial: started (unless it runs already), asked whether it takes this transport at all,
 * driven, watched with all its processes, stopped. Statistics are the server's own where it has Triton's extension.
 */
export class ExternalSession implements Session {
  statistics: TrialFacts['statistics'];
  monitored: Monitored | undefined;
  #resolved: ResolvedExternal | undefined;
  #running: ExternalHandle | undefined;
  #control: Transport | undefined;

  constructor(
    private readonly spec: TrialSpec,
    private readonly external: ExternalSpec,
    private readonly context: TrialContext,
    private readonly onLine: (line: string) => void,
  ) {}

  /** Throws Unavailable where this machine lacks the server, or the server the transport. */
  async drive(job: DriveJob, signal: AbortSignal, processes = 1): Promise<DriveResult> {
    const resolved = await resolveExternal(this.spec.system, this.external);
    const url = addressOf(resolved, job.transport);
    const { model } = resolved;
    this.#resolved = resolved;
    const control = createTransport(job.transport, { url, model, connections: 2, timeoutNs: job.timeoutNs });
    this.#control = control;
    await this.#start(resolved, control, signal);
    const metadata = await metadataOf(control, this.spec);
    await tryOnce(control, job, model, metadata);
    return await this.#load({ ...job, url, model, metadata }, control, signal, processes);
  }

  async stop(): Promise<void> {
    await this.#control?.close();
    await this.#running?.stop();
  }

  async #start(resolved: ResolvedExternal, control: Transport, signal: AbortSignal): Promise<void> {
    const ready = () => readiness(resolved, control);
    if (resolved.program) {
      this.#running = await startExternal(resolved.program, ready, signal, this.onLine);
      return;
    }
    const missing = await ready();
    if (missing !== undefined) throw new Error(`nothing is ready there, and external.start is not given: ${missing}`);
  }

  async #load(job: DriveJob, control: Transport, signal: AbortSignal, processes: number): Promise<DriveResult> {
    const monitors = await startMonitors(this.context.monitors);
    const pointless = new AbortController();
    let marked = false;
    let before: ReturnType<typeof countersOf> | undefined;
    try {
      if (this.#running) monitors.watch({ role: 'server', pid: this.#running.pid, url: this.#resolved?.url });
      await monitors.idle(signal);
      const load = forkLoad(job, {
        signal: AbortSignal.any([signal, pointless.signal]),
        cpus: this.spec.system.loadCpus,
        processes,
        onStart: (pid) => monitors.watch({ role: 'load', pid }),
        onProgress: (progress) => {
          if (progress.phase === 'measuring' && !marked) {
            marked = true;
            monitors.mark();
            before = countersOf(control);
          }
          this.context.onProgress(progress, () => monitors.recent());
        },
      });
      const result = await Promise.race([load, deathOf(this.#running)]).finally(async () => {
        pointless.abort();
        await load.catch(() => {});
      });
      this.monitored = await monitors.stop();
      const [first, last] = [await before, await countersOf(control)];
      this.statistics = first && last ? { before: first, after: last } : undefined;
      signal.throwIfAborted();
      return result;
    } finally {
      await monitors.stop();
    }
  }
}

function addressOf({ url, grpc }: ResolvedExternal, transport: string): string {
  const { endpoint } = transportNamed(transport);
  if (endpoint === 'none')
    throw new Unavailable('an external server is a process of its own: there is no in-process transport');
  const address = endpoint === 'grpc' ? grpc : url;
  if (address) return address;
  throw new Unavailable(
    `external.${endpoint === 'grpc' ? 'grpc' : 'url'} is not given: no ${transport} to this server`,
  );
}

/** What is missing until the server is ready, or nothing. */
async function readiness({ ready }: ResolvedExternal, control: Transport): Promise<string | undefined> {
  if (ready === undefined) return (await control.ready()) ? undefined : 'it says that its model is not ready';
  const { status } = await fetch(ready, { signal: AbortSignal.timeout(5000) });
  return status >= 200 && status < 300 ? undefined : `GET ${ready} answers HTTP ${status}`;
}

/** Of a server that tells none, the model file is asked instead. */
async function metadataOf(control: Transport, { system }: TrialSpec): Promise<ModelMetadata> {
  try {
    const metadata = await control.modelMetadata(AbortSignal.timeout(10_000));
    if (metadata.inputs?.length > 0) return metadata;
    throw new Error('its metadata names no inputs');
  } catch (error) {
    const model = await resolveModel(system.model);
    if (model.path === undefined)
      throw new Error(`the server tells no metadata (${messageOf(error)}), and no model file is named that could`);
    const { platform, inputs, outputs } = await inspectModel(model);
    return { name: model.name, platform, inputs, outputs };
  }
}

/** One request before any is measured: a server without binary tensors is no failure, it can't be asked this way. */
async function tryOnce(control: Transport, job: DriveJob, model: string, metadata: ModelMetadata): Promise<void> {
  const { name, directory, count, dims } = job.samples;
  const samples = await samplesNamed(name).create({
    metadata,
    seed: BigInt(job.seeds.samples),
    directory,
    count,
    dims,
  });
  const request = control.encode({ modelName: model, inputs: samples.inputs(0) });
  const result = await new Promise<CallResult>((resolve) => void control.infer(request, resolve));
  if (result.outcome === 'ok') return;
  const why = `${result.errorCode ?? result.outcome}${result.errorMessage ? `: ${result.errorMessage.slice(0, 300)}` : ''}`;
  if (job.transport === 'rest-binary')
    throw new Unavailable(`the server takes no binary tensors (${why}): use the transport rest`);
  throw new Error(`its first request failed over ${job.transport}: ${why}`);
}

/** undefined where the server has no statistics, or is gone. */
async function countersOf(control: Transport): Promise<ModelStatistics | undefined> {
  const statistics = await control.statistics(AbortSignal.timeout(5000)).catch(() => undefined);
  return Array.isArray(statistics?.batch_stats) ? statistics : undefined;
}

function deathOf(running: ExternalHandle | undefined): Promise<never> {
  const died = running
    ? running.exited.then(({ code, signal }) => {
        throw new Error(`the server ended in mid-trial (${signal ? `killed by ${signal}` : `exit code ${code}`})`);
      })
    : new Promise<never>(() => {});
  died.catch(() => {});
  return died as Promise<never>;
}
