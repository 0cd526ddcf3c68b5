import { setTimeout as delay } from 'node:timers/promises';
import { type Problem, UserError } from '../results/errors.js';
import { lookUp } from '../results/lookup.js';
import { version } from '../results/package.js';
import type { InstanceEvents } from './executors/index.js';
import { DEFAULT_LIMITS, type Frontend, type FrontendDefinition, frontends } from './frontends/index.js';
import { type LoadedModel, loadModel } from './load-model.js';
import { ModelTable } from './model-table.js';
import type { ResolvedModel } from './models/index.js';
import { metricsText } from './prometheus.js';
import type { InferenceService, ModelMetadata } from './protocol/index.js';
import { openRequestLog } from './request-log.js';
import type { ServedModelSpec, ServerSpec, ServerUsage } from './spec.js';
import { serverUsage } from './usage.js';

/** A server that answers. */
export interface RunningServer {
  /** Frontend name → address: `rest` → `http://127.0.0.1:8000`, `grpc` → `127.0.0.1:8001`. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly service: InferenceService;
  /** The first of its models, as are the next two. */
  readonly model: ResolvedModel;
  readonly metadata: ModelMetadata;
  /** What the runtime runs on. */
  readonly providers: readonly string[];
  usage(): ServerUsage;
  /** Stops accepting, answers what it has, stops the workers. */
  close(): Promise<void>;
}

/** The longest wait for answers when closing: a model whose worker does not come back would hold the server for ever. */
const DRAIN_MS = 8000;

/**
 * Find the models, load and warm their instances, and open the frontends. Throws UserError where anything about the spec is
 * wrong, model file and ports included; nothing keeps running then.
 */
export async function startServer(
  spec: ServerSpec,
  events: Partial<InstanceEvents> = {},
  signal?: AbortSignal,
): Promise<RunningServer> {
  const log = spec.requestLog ? openRequestLog(spec.requestLog, events.event) : undefined;
  const undo: (() => Promise<unknown>)[] = [async () => log?.close()];
  try {
    const loaded = await loadAll(spec, events, signal, undo);
    const table = new ModelTable({ name: spec.name, version, extensions: EXTENSIONS });
    for (const { service } of loaded) table.add(service);
    const served = log ? log.over(table) : table;
    const open = await openFrontends(spec, table, served, undo);
    const close = async () => {
      table.stopAccepting();
      const answered = [...table.all().map((model) => model.drained()), ...[...open.values()].map(closed)];
      await Promise.race([Promise.all(answered), delay(DRAIN_MS, undefined, { ref: false })]);
      await Promise.all(table.all().map((model) => model.close()));
      await log?.close();
    };
    return running(served, loaded, open, close);
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

const EXTENSIONS = ['model_configuration', 'statistics', 'binary_tensor_data'];

/** All of them, or none: what has loaded when one fails is closed by `undo`. */
async function loadAll(
  spec: ServerSpec,
  events: Partial<InstanceEvents>,
  signal: AbortSignal | undefined,
  undo: (() => Promise<unknown>)[],
): Promise<LoadedModel[]> {
  const models: ServedModelSpec[] = [spec, ...(spec.others ?? [])];
  const context = { place: spec.name, events, replica: spec.replica, signal };
  const results = await Promise.allSettled(models.map((model) => loadModel(model, context)));
  const loaded = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  undo.unshift(() => Promise.all(loaded.map(({ service }) => service.close())));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  refuseSameNames(loaded, spec.name);
  return loaded;
}

function refuseSameNames(loaded: readonly LoadedModel[], place: string): void {
  const problems = loaded.flatMap(({ service: { name, version: of } }, i): Problem[] => {
    const first = loaded.findIndex(({ service }) => service.name === name && service.version === of);
    const remedy = 'Give one of them another modelName or modelVersion';
    return first === i ? [] : [{ place, found: `two models are "${name}", version ${of}`, remedy }];
  });
  if (problems.length > 0) throw new UserError(problems);
}

async function openFrontends(
  spec: ServerSpec,
  table: ModelTable,
  service: InferenceService,
  undo: (() => Promise<unknown>)[],
): Promise<Map<string, Frontend>> {
  const open = new Map<string, Frontend>();
  for (const [name, { host = '127.0.0.1', port }] of Object.entries(spec.frontends)) {
    const frontend = await lookUp<FrontendDefinition>(frontends, name, 'frontend', `${spec.name}.frontends`).start(
      service,
      { host, port, limits: spec.limits ?? DEFAULT_LIMITS, metrics: () => metricsText(table.all()) },
    );
    open.set(name, frontend);
    undo.unshift(() => frontend.close());
  }
  return open;
}

function closed(frontend: Frontend): Promise<void> {
  return frontend.close();
}

function running(
  service: InferenceService,
  loaded: readonly LoadedModel[],
  open: ReadonlyMap<string, Frontend>,
  close: () => Promise<void>,
): RunningServer {
  const { model, metadata, providers } = loaded[0]!;
  let closing: Promise<void> | undefined;
  return {
    addresses: Object.fromEntries([...open].map(([name, { address }]) => [name, address])),
    service,
    model,
    metadata,
    providers,
    usage: () => serverUsage(loaded),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
