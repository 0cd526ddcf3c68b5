import { UserError } from '../results/errors.js';
import { Batching } from './executors/batching.js';
import type { Instance, InstanceEvents, InstanceMetadata, Isolation } from './executors/index.js';
import { RealExecutor, type Shared } from './executors/real.js';
import { startInstance } from './executors/start-instance.js';
import type { HostedModel } from './hosted-model.js';
import { maxBatch, refuseFixedBatch } from './models/batch.js';
import type { ResolvedModel } from './models/index.js';
import { resolveModel } from './models/resolve.js';
import { processedModel } from './processed-model.js';
import { createProcessing } from './processing/index.js';
import { modelConfig } from './protocol/config.js';
import type { ModelMetadata } from './protocol/index.js';
import type { RuntimeMetadata } from './runtimes/index.js';
import { ModelService } from './service.js';
import type { ServedModelSpec } from './spec.js';
import { statefulModel } from './stateful-model.js';
import { StatisticsCollector } from './statistics.js';
import {
  chooseStrategy,
  createStrategy,
  dynamicBatching,
  refuseOtherStages,
  type StrategyChoice,
} from './strategy-choice.js';

/** A model that is loaded, warm and ready to be put into a table. */
export interface LoadedModel {
  readonly service: HostedModel;
  /** Of the models that share its instances. */
  readonly sharing: readonly HostedModel[];
  readonly model: ResolvedModel;
  readonly metadata: ModelMetadata;
  readonly providers: readonly string[];
  readonly name: string;
  readonly instances: readonly Instance[];
  readonly isolation: Isolation;
}

export interface LoadContext {
  /** Where the spec stands, for messages. */
  readonly place: string;
  readonly events?: Partial<InstanceEvents> | undefined;
  /** Which of several replicas the server is (see ServerSpec). */
  readonly replica?: number | undefined;
  /** Of all models of the server. */
  readonly shared?: Shared | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_WARM_UP = 3;

/**
 * Find the model, load and warm its instances, and put its strategy over them. Throws UserError where anything about the
 * spec or the file is wrong; nothing keeps running then.
 */
export async function loadModel(spec: ServedModelSpec, context: LoadContext): Promise<LoadedModel> {
  const choice = chooseStrategy(spec, context.place);
  refuseSharedBatches(spec, choice, context.place);
  const model = named(await resolveModel(spec.model, context.signal), spec);
  const sharing: ResolvedModel[] = [];
  for (const other of spec.sharing ?? []) sharing.push(named(await resolveModel(other.model, context.signal), other));
  const instances = startInstances(spec, choice, model, sharing, context.events ?? {});
  try {
    const [metadata] = await Promise.all(instances.map((instance) => instance.started));
    context.signal?.throwIfAborted();
    return await assemble(spec, choice, [model, ...sharing], metadata!, instances, context);
  } catch (error) {
    await Promise.all(instances.map((instance) => instance.close()));
    throw error;
  }
}

/** Most strategies put what waits into one batch, whatever its model. */
function refuseSharedBatches({ sharing = [], strategy }: ServedModelSpec, { maxRows }: StrategyChoice, place: string) {
  if (sharing.length === 0 || maxRows === 1) return;
  throw new UserError({
    place: `${place}.${strategy.name}`,
    found: `it makes batches of up to ${maxRows} rows, and these instances have ${sharing.length + 1} models`,
    allowed: 'a strategy that executes one request at a time (serial, instance-group, reef-stage; maxBatchSize: 1)',
    remedy: 'Give each model instances of its own: leave shared out',
  });
}

function named(
  model: ResolvedModel,
  { modelName, modelVersion }: Pick<ServedModelSpec, 'modelName' | 'modelVersion'>,
): ResolvedModel {
  return { ...model, name: modelName ?? model.name, version: modelVersion ?? model.version };
}

function startInstances(
  spec: ServedModelSpec,
  { definition, options }: StrategyChoice,
  model: ResolvedModel,
  sharing: readonly ResolvedModel[],
  events: Partial<InstanceEvents>,
): Instance[] {
  const others = Object.fromEntries(sharing.map((other) => [other.name, instanceModel(other)]));
  return Array.from({ length: spec.instances ?? 1 }, (_, id) =>
    startInstance(
      {
        id,
        ...instanceModel(model),
        others: sharing.length > 0 ? others : undefined,
        isolation: spec.isolation ?? 'thread',
        warmUpExecutions: spec.warmUpExecutions ?? DEFAULT_WARM_UP,
        warmUp: spec.warmUp,
        spare: definition.kills?.(options)?.spare,
      },
      events,
    ),
  );
}

function instanceModel({ runtime, runtimeOptions, path }: ResolvedModel) {
  return { runtime, runtimeOptions, modelPath: path };
}

/** One executor, and a service for each of the models that its instances have loaded. */
async function assemble(
  spec: ServedModelSpec,
  choice: StrategyChoice,
  models: readonly [ResolvedModel, ...ResolvedModel[]],
  metadata: InstanceMetadata,
  instances: readonly Instance[],
  context: LoadContext,
): Promise<LoadedModel> {
  const profiles = [spec.profile, ...(spec.sharing ?? []).map(({ profile }) => profile)];
  const hosted = models.map((model, i) => {
    const runtime = i === 0 ? metadata : metadata.others![model.name]!;
    refuseOtherStages(choice, model.name, runtime.stages, i > 0);
    refuseFixedBatch(runtime, choice.maxRows, `${context.place}.${spec.strategy.name}`);
    const statistics = new StatisticsCollector(model.name, model.version);
    const executed = { batching: new Batching(runtime), modelVersion: model.version, statistics };
    return { model, runtime, statistics, executed, profile: profiles[i] };
  });
  const [own, ...others] = hosted as [(typeof hosted)[number], ...typeof hosted];
  const planned = hosted.map(({ model, executed, profile }) => ({
    name: model.name,
    profile,
    stages: executed.batching.stages,
  }));
  const limiter = context.shared?.limiter.join(`${own.model.name}/${own.model.version}`);
  const executor = new RealExecutor({
    strategy: createStrategy(choice, instances.length, planned, limiter),
    limiter,
    instances,
    ...own.executed,
    others: new Map(others.map(({ model, executed }) => [model.name, executed])),
    onEvent: context.events?.event,
    executesOnce: choice.definition.executesOnce,
    replica: context.replica,
    shared: context.shared,
  });
  const processing = spec.processing ?? 'server';
  const services: HostedModel[] = [];
  for (const { model, runtime, statistics } of hosted) {
    const bare = serviceOf(model, runtime, statistics, choice, executor, instances);
    services.push(await completed(bare, model, processing, (ns) => statistics.requestFailed(ns)));
  }
  const [service, ...sharing] = services as [HostedModel, ...HostedModel[]];
  return {
    service,
    sharing,
    model: own.model,
    metadata: { ...service.metadata, versions: [own.model.version] },
    providers: own.runtime.providers,
    name: own.model.name,
    instances,
    isolation: spec.isolation ?? 'thread',
  };
}

/** With what stands before and behind the model. */
async function completed(
  bare: ModelService,
  model: ResolvedModel,
  processing: NonNullable<ServedModelSpec['processing']>,
  failed: (ns: number) => void,
): Promise<HostedModel> {
  const stateful = model.states ? statefulModel(bare, model.states) : bare;
  if (!model.processing || processing !== 'server') return stateful;
  return processedModel(stateful, await createProcessing(model.processing, stateful.metadata), failed);
}

function serviceOf(
  model: ResolvedModel,
  runtime: RuntimeMetadata,
  statistics: StatisticsCollector,
  choice: StrategyChoice,
  executor: RealExecutor,
  instances: readonly Instance[],
): ModelService {
  const { platform, inputs, outputs } = runtime;
  const tensors = { name: model.name, versions: [model.version], platform, inputs, outputs };
  const maxRows = rowLimit(runtime, choice.maxRows);
  return new ModelService({
    model: tensors,
    version: model.version,
    config: modelConfig(tensors, {
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
