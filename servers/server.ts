import { parse } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nowNs } from '../results/clock.js';
import { type Problem, UserError } from '../results/errors.js';
import { lookUp } from '../results/lookup.js';
import { version } from '../results/package.js';
import { ensembleOf } from './ensemble.js';
import type { InstanceEvents } from './executors/index.js';
import { sharedFrom } from './executors/real.js';
import { DEFAULT_LIMITS, type Frontend, type FrontendDefinition, frontends } from './frontends/index.js';
import { type Front, type NamedModel, startFront } from './fronts/index.js';
import type { HostedModel } from './hosted-model.js';
import { type LoadedModel, loadModel } from './load-model.js';
import { ModelTable } from './model-table.js';
import type { ResolvedModel } from './models/index.js';
import { metricsText } from './prometheus.js';
import type { InferenceService, ModelMetadata } from './protocol/index.js';
import { openRepository } from './repository/index.js';
import { openRequestLog } from './request-log.js';
import type { EndpointSpec, RepositoryServerSpec, ServedModelSpec, ServerSpec, ServerUsage } from './spec.js';
import { serverUsage } from './usage.js';

/** What listens. */
export interface OpenServer {
  /** Frontend name → address: `rest` → `http://127.0.0.1:8000`, `grpc` → `127.0.0.1:8001`. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly service: InferenceService;
  /** Stops accepting, answers what it has, stops the workers. */
  close(): Promise<void>;
}

/** A server that answers. */
export interface RunningServer extends OpenServer {
  /** The first of its models, and what that runs on. */
  readonly model: ResolvedModel;
  /** Of its ensemble, or of the first of its models. */
  readonly metadata: ModelMetadata;
  readonly providers: readonly string[];
  usage(): ServerUsage;
}

/** What is undone, last first, where a start fails. */
type Undo = (() => Promise<unknown>)[];

/**
 * Find the models, load and warm their instances, and open the frontends. Throws UserError where anything about the spec is
 * wrong, model file and ports included; nothing keeps running then.
 */
export function startServer(
  spec: ServerSpec,
  events: Partial<InstanceEvents> = {},
  signal?: AbortSignal,
): Promise<RunningServer> {
  return orUndone(async (undo) => {
    const table = new ModelTable({ name: spec.name, version, extensions: EXTENSIONS });
    const front = spec.front ? await behindFront(spec, spec.front, events, signal) : undefined;
    undo.unshift(() => Promise.all(table.all().map((model) => model.close())));
    const loaded = front ? [front.first] : await loadAll(spec, events, signal, undo);
    for (const model of front?.models ?? loaded.flatMap(servicesOf)) table.add(model);
    const ensemble = spec.ensemble && ensembleOf(spec.ensemble, table, spec.name);
    if (ensemble) table.add(ensemble);
    const open = await openEndpoint(spec, table, events, undo);
    const { model, providers } = loaded[0]!;
    const metadata = front ? front.models[0]!.metadata : table.modelMetadata((ensemble ?? loaded[0]!).name);
    const close = async () => {
      // Its steps still need the others.
      ensemble?.stopAccepting('the server is stopping');
      if (ensemble) await Promise.race([ensemble.drained(), delay(DRAIN_MS, undefined, { ref: false })]);
      await open.close();
    };
    const usage = () => serverUsage(front?.loaded() ?? loaded);
    return { ...open, close, model, metadata, providers, usage };
  });
}

/** The front's models in place of the spec's own. */
function behindFront(
  spec: ServerSpec,
  front: NonNullable<ServerSpec['front']>,
  events: Partial<InstanceEvents>,
  signal: AbortSignal | undefined,
): Promise<Front> {
  const context = { place: spec.name, events, shared: sharedFrom(nowNs(), spec.replica), signal };
  return startFront(front.name, front.options, {
    place: spec.name,
    models: [spec, ...(spec.others ?? [])].map(namedModel),
    load: (model) => loadModel(model, context),
    event: events.event ?? (() => {}),
  });
}

/** By its name before it is found: a front may load it much later. */
function namedModel({ model, modelName, ...how }: ServedModelSpec): NamedModel {
  const own = 'zoo' in model ? model.zoo : (model.name ?? ('path' in model ? parse(model.path).name : model.runtime));
  const { strategy, instances, isolation, warmUpExecutions, warmUp, profile, modelVersion } = how;
  const kept = { strategy, instances, isolation, warmUpExecutions, warmUp, profile, modelVersion };
  return { ...kept, model, modelName: modelName ?? own };
}

/** A server of a folder of models that come and go. Throws UserError as `startServer`. */
export function startRepositoryServer(
  spec: RepositoryServerSpec,
  events: Partial<InstanceEvents> = {},
): Promise<OpenServer> {
  return orUndone(async (undo) => {
    const extensions = [...EXTENSIONS, 'model_repository'];
    const table = new ModelTable({ name: spec.name, version, extensions });
    undo.unshift(() => Promise.all(table.all().map((model) => model.close())));
    const context = { events, event: events.event ?? (() => {}), shared: sharedFrom(nowNs()) };
    const repository = await openRepository(spec.repository, table, context);
    undo.unshift(() => repository.close());
    table.repository = repository;
    const open = await openEndpoint(spec, table, events, undo);
    const close = async () => {
      await repository.close();
      await open.close();
    };
    return { ...open, close };
  });
}

async function orUndone<Server>(start: (undo: Undo) => Promise<Server>): Promise<Server> {
  const undo: Undo = [];
  try {
    return await start(undo);
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
  undo: Undo,
): Promise<LoadedModel[]> {
  const models: ServedModelSpec[] = [spec, ...(spec.others ?? [])];
  const shared = sharedFrom(nowNs(), spec.replica);
  const context = { place: spec.name, events, replica: spec.replica, shared, signal };
  const results = await Promise.allSettled(models.map((model) => loadModel(model, context)));
  const loaded = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  undo.unshift(() => Promise.all(loaded.map(({ service }) => service.close())));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  refuseSameNames(loaded, spec.name);
  return loaded;
}

function servicesOf({ service, sharing }: LoadedModel): HostedModel[] {
  return [service, ...sharing];
}

function refuseSameNames(loaded: readonly LoadedModel[], place: string): void {
  const services = loaded.flatMap(servicesOf);
  const problems = services.flatMap(({ name, version: of }, i): Problem[] => {
    const first = services.findIndex((service) => service.name === name && service.version === of);
    const remedy = 'Give one of them another modelName or modelVersion';
    return first === i ? [] : [{ place, found: `two models are "${name}", version ${of}`, remedy }];
  });
  if (problems.length > 0) throw new UserError(problems);
}

/** The longest wait for answers when closing: a model whose worker does not come back would hold the server for ever. */
const DRAIN_MS = 8000;

/** The table behind the frontends that were asked for, and behind the request log. */
async function openEndpoint(
  spec: EndpointSpec,
  table: ModelTable,
  events: Partial<InstanceEvents>,
  undo: Undo,
): Promise<OpenServer> {
  const log = spec.requestLog ? openRequestLog(spec.requestLog, events.event) : undefined;
  undo.push(async () => log?.close());
  const service = log ? log.over(table) : table;
  const open = await openFrontends(spec, table, service, undo);
  const close = async () => {
    table.stopAccepting();
    const answered = [
      ...table.all().map((model) => model.drained()),
      ...[...open.values()].map((frontend) => frontend.close()),
    ];
    await Promise.race([Promise.all(answered), delay(DRAIN_MS, undefined, { ref: false })]);
    await Promise.all(table.all().map((model) => model.close()));
    await log?.close();
  };
  let closing: Promise<void> | undefined;
  return {
    addresses: Object.fromEntries([...open].map(([name, { address }]) => [name, address])),
    service,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function openFrontends(
  spec: EndpointSpec,
  table: ModelTable,
  service: InferenceService,
  undo: Undo,
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
