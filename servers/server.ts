import { setTimeout as delay } from 'node:timers/promises';
import { lookUp } from '../results/lookup.js';
import { version } from '../results/package.js';
import { Batching } from './executors/batching.js';
import type { Instance, InstanceEvents } from './executors/index.js';
import { RealExecutor } from './executors/real.js';
import { startInstance } from './executors/start-instance.js';
import { DEFAULT_LIMITS, type Frontend, type FrontendDefinition, frontends } from './frontends/index.js';
import { maxBatch, refuseFixedBatch } from './models/batch.js';
import type { ResolvedModel } from './models/index.js';
import { resolveModel } from './models/resolve.js';
import { metricsText } from './prometheus.js';
import { modelConfig } from './protocol/config.js';
import type { InferenceService, ModelMetadata } from './protocol/index.js';
import { openRequestLog, type RequestLog } from './request-log.js';
import type { RuntimeMetadata } from './runtimes/index.js';
import { ModelService } from './service.js';
import type { ServerSpec, ServerUsage } from './spec.js';
import { StatisticsCollector } from './statistics.js';
import { chooseStrategy, createStrategy, dynamicBatching, type StrategyChoice } from './strategy-choice.js';
import { serverUsage } from './usage.js';

/** A server that answers. */
export interface RunningServer {
  /** Frontend name → address: `rest` → `http://127.0.0.1:8000`, `grpc` → `127.0.0.1:8001`. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly service: InferenceService;
  readonly model: ResolvedModel;
  readonly metadata: ModelMetadata;
  /** What the runtime runs on. */
  readonly providers: readonly string[];
  usage(): ServerUsage;
  /** Stops accepting, answers what it has, stops the workers. */
  close(): Promise<void>;
}

const DEFAULT_WARM_UP = 3;

/** The longest wait for answers when closing: a model whose worker does not come back would hold the server for ever. */
const DRAIN_MS = 8000;

/**
 * Find the model, load and warm the instances, and open the frontends. Throws UserError where anything about the spec is
 * wrong, model file and ports included; nothing keeps running then.
 */
export async function startServer(
  spec: ServerSpec,
  events: Partial<InstanceEvents> = {},
  signal?: AbortSignal,
): Promise<RunningServer> {
  const choice = chooseStrategy(spec);
  const log = spec.requestLog ? openRequestLog(spec.requestLog, events.event) : undefined;
  const model = await resolveModel(spec.model, signal);
  const instances = startInstances(spec, model, events);
  const undo: (() => Promise<unknown>)[] = [
    () => Promise.all(instances.map((instance) => instance.close())),
    async () => log?.close(),
  ];
  try {
    const [runtime] = await Promise.all(instances.map((instance) => instance.started));
    signal?.throwIfAborted();
    const core = assemble(spec, choice, model, runtime!, instances, events);
    undo.unshift(() => core.executor.close());
    const served = log ? log.over(core.service) : core.service;
    const open = await openFrontends(spec, core, served, undo);
    return running(spec, core, served, model, runtime!, instances, open, log);
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

function startInstances(spec: ServerSpec, model: ResolvedModel, events: Partial<InstanceEvents>): Instance[] {
  return Array.from({ length: spec.instances ?? 1 }, (_, id) =>
    startInstance(
      {
        id,
        runtime: model.runtime,
        runtimeOptions: model.runtimeOptions,
        modelPath: model.path,
        isolation: spec.isolation ?? 'thread',
        warmUpExecutions: spec.warmUpExecutions ?? DEFAULT_WARM_UP,
      },
      events,
    ),
  );
}

interface Core {
  readonly service: ModelService;
  readonly executor: RealExecutor;
  readonly statistics: StatisticsCollector;
}

function assemble(
  spec: ServerSpec,
  choice: StrategyChoice,
  model: ResolvedModel,
  runtime: RuntimeMetadata,
  instances: readonly Instance[],
  events: Partial<InstanceEvents>,
): Core {
  refuseFixedBatch(runtime, choice.maxRows, `${spec.name}.${spec.strategy.name}`);
  const statistics = new StatisticsCollector(model.name, model.version);
  const executor = new RealExecutor({
    strategy: createStrategy(choice, instances.length, spec.profile),
    instances,
    batching: new Batching(runtime),
    modelVersion: model.version,
    statistics,
    onEvent: events.event,
    replica: spec.replica,
  });
  const metadata = metadataOf(model, runtime);
  const maxRows = rowLimit(runtime, choice.maxRows);
  const service = new ModelService({
    server: { name: spec.name, version, extensions: ['model_configuration', 'statistics', 'binary_tensor_data'] },
    model: metadata,
    version: model.version,
    config: modelConfig(metadata, {
      backend: runtime.backend,
      maxBatchSize: Number.isFinite(maxRows) ? maxRows : Math.min(choice.maxRows, ANY_ROWS),
      instances: [{ name: model.name, kind: 'KIND_CPU', count: instances.length }],
      dynamicBatching: choice.maxRows > 1 ? dynamicBatching(choice.options) : undefined,
    }),
    executor,
    instances,
    statistics,
    maxRows,
  });
  return { service, executor, statistics };
}

function metadataOf(model: ResolvedModel, runtime: RuntimeMetadata): ModelMetadata {
  const { platform, inputs, outputs } = runtime;
  return { name: model.name, versions: [model.version], platform, inputs, outputs };
}

/**
 * Rows that a request may have. A strategy that never batches (1) takes any: it hands requests on as they are. 0: the model
 * has no dynamic batch dimension.
 */
function rowLimit(runtime: RuntimeMetadata, maxRows: number): number {
  if (maxBatch(runtime) !== Number.POSITIVE_INFINITY) return 0;
  return maxRows > 1 ? maxRows : Number.POSITIVE_INFINITY;
}

/** What the configuration says where a strategy's batches know no limit. */
const ANY_ROWS = 2 ** 31 - 1;

async function openFrontends(
  spec: ServerSpec,
  { executor, statistics }: Core,
  service: InferenceService,
  undo: (() => Promise<unknown>)[],
): Promise<Map<string, Frontend>> {
  const open = new Map<string, Frontend>();
  for (const [name, { host = '127.0.0.1', port }] of Object.entries(spec.frontends)) {
    const frontend = await lookUp<FrontendDefinition>(frontends, name, 'frontend', `${spec.name}.frontends`).start(
      service,
      {
        host,
        port,
        limits: spec.limits ?? DEFAULT_LIMITS,
        metrics: () => metricsText([statistics], () => executor.waiting()),
      },
    );
    open.set(name, frontend);
    undo.unshift(() => frontend.close());
  }
  return open;
}

function running(
  spec: ServerSpec,
  { service, executor }: Core,
  served: InferenceService,
  model: ResolvedModel,
  runtime: RuntimeMetadata,
  instances: readonly Instance[],
  open: ReadonlyMap<string, Frontend>,
  log: RequestLog | undefined,
): RunningServer {
  let closed: Promise<void> | undefined;
  const close = async () => {
    service.stopAccepting();
    const answered = Promise.all([executor.drained(), ...[...open.values()].map((frontend) => frontend.close())]);
    await Promise.race([answered, delay(DRAIN_MS, undefined, { ref: false })]);
    await executor.close();
    await log?.close();
  };
  return {
    addresses: Object.fromEntries([...open].map(([name, { address }]) => [name, address])),
    service: served,
    model,
    metadata: metadataOf(model, runtime),
    providers: runtime.providers,
    usage: () => serverUsage(instances, spec.isolation ?? 'thread'),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
