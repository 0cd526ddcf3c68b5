import { Batching } from './executors/batching.js';
import type { Instance, InstanceEvents, Isolation } from './executors/index.js';
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
import { chooseStrategy, createStrategy, dynamicBatching, type StrategyChoice } from './strategy-choice.js';

/** A model that is loaded, warm and ready to be put into a table. */
export interface LoadedModel {
  readonly service: HostedModel;
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
  const model = named(await resolveModel(spec.model, context.signal), spec);
  const instances = startInstances(spec, model, context.events ?? {});
  try {
    const [runtime] = await Promise.all(instances.map((instance) => instance.started));
    context.signal?.throwIfAborted();
    return await assemble(spec, choice, model, runtime!, instances, context);
  } catch (error) {
    await Promise.all(instances.map((instance) => instance.close()));
    throw error;
  }
}

function named(model: ResolvedModel, { modelName, modelVersion }: ServedModelSpec): ResolvedModel {
  return { ...model, name: modelName ?? model.name, version: modelVersion ?? model.version };
}

function startInstances(spec: ServedModelSpec, model: ResolvedModel, events: Partial<InstanceEvents>): Instance[] {
  return Array.from({ length: spec.instances ?? 1 }, (_, id) =>
    startInstance(
      {
        id,
        runtime: model.runtime,
        runtimeOptions: model.runtimeOptions,
        modelPath: model.path,
        isolation: spec.isolation ?? 'thread',
        warmUpExecutions: spec.warmUpExecutions ?? DEFAULT_WARM_UP,
        warmUp: spec.warmUp,
      },
      events,
    ),
  );
}

async function assemble(
  spec: ServedModelSpec,
  choice: StrategyChoice,
  model: ResolvedModel,
  runtime: RuntimeMetadata,
  instances: readonly Instance[],
  context: LoadContext,
): Promise<LoadedModel> {
  refuseFixedBatch(runtime, choice.maxRows, `${context.place}.${spec.strategy.name}`);
  const statistics = new StatisticsCollector(model.name, model.version);
  const executor = new RealExecutor({
    strategy: createStrategy(choice, instances.length, spec.profile),
    instances,
    batching: new Batching(runtime),
    modelVersion: model.version,
    statistics,
    onEvent: context.events?.event,
    executesOnce: choice.definition.executesOnce,
    replica: context.replica,
    shared: context.shared,
  });
  const { platform, inputs, outputs } = runtime;
  const tensors = { name: model.name, versions: [model.version], platform, inputs, outputs };
  const maxRows = rowLimit(runtime, choice.maxRows);
  const bare = new ModelService({
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
  const stateful = model.states ? statefulModel(bare, model.states) : bare;
  const service =
    model.processing && (spec.processing ?? 'server') === 'server'
      ? processedModel(stateful, await createProcessing(model.processing, stateful.metadata), (ns) =>
          statistics.requestFailed(ns),
        )
      : stateful;
  const metadata = { ...service.metadata, versions: [model.version] };
  const { providers } = runtime;
  return { service, model, metadata, providers, name: model.name, instances, isolation: spec.isolation ?? 'thread' };
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
