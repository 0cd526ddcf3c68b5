import type { Datatype, ModelConfig, ModelMetadata, TensorMetadata } from './types.js';

/** How a model is served, beyond its metadata. */
export interface ServingConfig {
  readonly backend: string;
  /** 0: no batch dimension. */
  readonly maxBatchSize: number;
  readonly instances: readonly { readonly name: string; readonly kind: string; readonly count: number }[];
  /** Triton's spelling; absent where requests are not batched. */
  readonly dynamicBatching?: Readonly<Record<string, unknown>> | undefined;
}

/** Triton's model configuration of a model: what clients such as perf_analyzer ask for. */
export function modelConfig(metadata: ModelMetadata, serving: ServingConfig): ModelConfig {
  const batched = serving.maxBatchSize > 0;
  return {
    name: metadata.name,
    platform: metadata.platform,
    backend: serving.backend,
    max_batch_size: serving.maxBatchSize,
    ...configuredTensors(metadata, batched),
    instance_group: serving.instances,
    ...(serving.dynamicBatching ? { dynamic_batching: serving.dynamicBatching } : {}),
  };
}

/** The inputs and outputs of a configuration. */
export function configuredTensors(
  { inputs, outputs }: Pick<ModelMetadata, 'inputs' | 'outputs'>,
  batched: boolean,
): Pick<ModelConfig, 'input' | 'output'> {
  return {
    input: inputs.map((tensor) => tensorConfig(tensor, batched)),
    output: outputs.map((tensor) => tensorConfig(tensor, batched)),
  };
}

/** Triton's name of a datatype: `TYPE_FP32`; BYTES is `TYPE_STRING`. */
function configDatatype(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}

function tensorConfig(tensor: TensorMetadata, batched: boolean) {
  const dims = batched ? tensor.shape.slice(1) : tensor.shape;
  return { name: tensor.name, data_type: configDatatype(tensor.datatype), dims };
}
