import type { z } from 'zod';
import type { Datatype, TensorMetadata } from '../protocol/index.js';

/** A tensor in its own ArrayBuffer, so that it can be transferred between threads. Bytes as in protocol/types.ts. */
export interface RuntimeTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly buffer: ArrayBuffer;
}

export interface RuntimeMetadata {
  readonly platform: string;
  readonly backend: string;
  /** First dimension −1 = dynamic. */
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Execution providers or the like, for the environment. */
  readonly providers: readonly string[];
  /** Into how many stages its model is cut; absent: it runs whole. */
  readonly stages?: number | undefined;
}

/** What an execution was made of inside of a runtime with workers of its own: durations, bytes, how many workers. */
export interface ExecutionPart {
  readonly name: string;
  readonly unit: 'ns' | 'bytes' | 'count';
  readonly value: number;
}

/** What executes a batch. It blocks its thread; one runtime = one instance = one worker. */
export interface Runtime {
  readonly metadata: RuntimeMetadata;
  /** Inputs already joined along the batch dimension. `rows` is the batch size, padding included. Outputs in metadata's order, or those asked for. */
  execute(inputs: readonly RuntimeTensor[], rows: number, outputs?: readonly string[]): Promise<RuntimeTensor[]>;
  /** The same at once; what `inline` runtimes have besides. */
  executeNow?(inputs: readonly RuntimeTensor[], rows: number, outputs?: readonly string[]): RuntimeTensor[];
  /**
   * Stages [from, to) of a model that is cut. `values` are its inputs where `from` is 0, else what the call that ended there
   * gave: all that later stages and the outputs need. To the last stage: the outputs, or those asked for.
   */
  executeStages?(
    values: readonly RuntimeTensor[],
    rows: number,
    stages: readonly [from: number, to: number],
    outputs?: readonly string[],
  ): Promise<RuntimeTensor[]>;
  /** Of the last execution; what runtimes with parts have besides. */
  lastParts?(): readonly ExecutionPart[];
  /** Resolves with the reason when it can execute nothing any more, because a worker of its own died; what runtimes with workers have besides. */
  readonly lost?: Promise<Error>;
  close(): Promise<void>;
}

/** Points `[rows, ns]`, as everywhere (executors/cost.ts). */
export type RuntimeCost = readonly (readonly [rows: number, ns: number])[];

/** A part of a model that a parallel runtime is made from. */
export interface CostedPart {
  readonly path: string;
  /** Of the whole's cost, 0…1. */
  readonly share: number;
  /** Of the onnx runtime, in which it runs. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface RuntimeDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  /** It answers at once and runs on the server's own thread: no worker, no hand-over. */
  readonly inline?: boolean;
  /** The model file's path; undefined for runtimes that need none (`synthetic`, `null`). Throws UserError where it can't be loaded. */
  create(modelPath: string | undefined, options: z.output<Options>): Promise<Runtime>;
  /**
   * What executions cost in virtual time, on as many processors as it has workers, from what its parts cost alone. Absent:
   * what is measured of it as it is.
   */
  virtualCost?(
    modelPath: string | undefined,
    options: z.output<Options>,
    costOfPart: (part: CostedPart) => Promise<RuntimeCost>,
  ): Promise<RuntimeCost>;
}

export function defineRuntime<Options extends z.ZodType>(
  definition: RuntimeDefinition<Options>,
): RuntimeDefinition<Options> {
  return definition;
}
