/** KServe v2 (Open Inference Protocol) as plain data. Tensor content is always the protocol's raw little-endian bytes. */

export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof DATATYPES)[number];

export type ParameterValue = boolean | number | string | bigint;
export type Parameters = Readonly<Record<string, ParameterValue>>;

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Row-major, little-endian. BYTES: per element a 4-byte length, then the bytes. A view; never modified. */
  readonly data: Uint8Array;
  readonly parameters?: Parameters | undefined;
}

export interface RequestedOutput {
  readonly name: string;
  readonly parameters?: Parameters | undefined;
}

export interface InferRequest {
  readonly modelName: string;
  readonly modelVersion?: string | undefined;
  readonly id?: string | undefined;
  readonly parameters?: Parameters | undefined;
  readonly inputs: readonly Tensor[];
  /** Absent or empty: all outputs. */
  readonly outputs?: readonly RequestedOutput[] | undefined;
  /** Called at most once, when the inputs' content has been copied and will not be read again: its memory is free. */
  readonly consumed?: (() => void) | undefined;
}

export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion?: string | undefined;
  readonly id?: string | undefined;
  readonly parameters?: Parameters | undefined;
  readonly outputs: readonly Tensor[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** −1 = any size. The first dimension is the batch where the model has one. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** Triton's model configuration, the fields that clients such as perf_analyzer ask for; spelt as on the wire. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  /** 0 where the model has no dynamic batch dimension. */
  readonly max_batch_size: number;
  /** Without the batch dimension where max_batch_size > 0. */
  readonly input: readonly { readonly name: string; readonly data_type: string; readonly dims: readonly number[] }[];
  readonly output: readonly { readonly name: string; readonly data_type: string; readonly dims: readonly number[] }[];
  readonly instance_group: readonly { readonly name: string; readonly kind: string; readonly count: number }[];
  readonly dynamic_batching?: Readonly<Record<string, unknown>>;
}

export interface StatisticDuration {
  count: number;
  ns: number;
}

/** Triton's statistics extension; spelt as on the wire. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly last_inference: number;
  /** Requests' rows that were inferred (success only). */
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<
    Record<
      'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss',
      StatisticDuration
    >
  >;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: StatisticDuration;
    readonly compute_infer: StatisticDuration;
    readonly compute_output: StatisticDuration;
  }[];
  /** Our own: loads of models whose memory is limited. Absent elsewhere. */
  readonly servemark_loads?: StatisticDuration | undefined;
  /** Our own: what executions were made of inside of a runtime with several workers. Absent elsewhere. */
  readonly servemark_parts?: readonly PartStatistic[] | undefined;
}

/** Added up over `count` executions. */
export interface PartStatistic {
  readonly name: string;
  readonly unit: 'ns' | 'bytes' | 'count';
  readonly count: number;
  readonly total: number;
}

/** Where a request spent its time in the server; durations in ns. They travel in the response's parameters (timings.ts). */
export interface ServerTimings {
  /** First byte of the request → decoded. */
  receiveNs: number;
  /** Decoded → its batch was formed. */
  queueNs: number;
  /** Batch formed → the runtime begins: join, copy, hand-over to the instance. */
  computeInputNs: number;
  computeInferNs: number;
  /** Runtime done → outputs split and back on the frontend's thread. */
  computeOutputNs: number;
  /** Response composed; filled by the frontend. */
  serialiseNs: number;
  /** Rows of the execution that answered it (0: answered without one). */
  batchSize: number;
  /** Number of that execution, from 1. */
  executionId: number;
  /** The server's start → it saw the request: a duration too, whose differences are the arrivals as the server had them. */
  arrivalNs?: number | undefined;
  /**
   * First byte of the request → response composed, by two stamps of its own and not the sum of the durations above: what
   * they leave of it nobody stamped. Filled by the frontend; undefined where there is none.
   */
  totalNs?: number | undefined;
  /** Decoded → queued, and executed → answer made, of a model with processors in the server; `receiveNs` is without it. */
  preprocessNs?: number | undefined;
  postprocessNs?: number | undefined;
  /** It waited so long for its model to be loaded; undefined: it was there. */
  loadNs?: number | undefined;
  /** Number of the variant that answered, from 1, where the server chose among several. */
  variant?: number | undefined;
}
