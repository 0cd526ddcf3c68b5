import type { Problem } from '../../results/errors.js';
import type { Datatype } from '../protocol/index.js';
import type { ExecutionPart, RuntimeMetadata, RuntimeTensor } from '../runtimes/index.js';

/** A model as an instance loads it. */
export interface InstanceModel {
  /** Name in servers/runtimes. */
  readonly runtime: string;
  readonly runtimeOptions: Readonly<Record<string, unknown>>;
  readonly modelPath: string | undefined;
}

/** What an instance is made from; plain data. */
export interface InstanceSpec extends InstanceModel {
  readonly id: number;
  /** Models beside its own, by name: all of them share its worker, one execution at a time. */
  readonly others?: Readonly<Record<string, InstanceModel>> | undefined;
  /** `thread`: a worker thread; `process`: a child process, which can be killed and whose crash stays its own. */
  readonly isolation: Isolation;
  /** Executions of one row of zeros before it reports ready; a model that can't take them goes without. */
  readonly warmUpExecutions: number;
  /** In their place: executions that must succeed, or it does not start. */
  readonly warmUp?: readonly WarmUpSample[] | undefined;
  /** A second worker, loaded and warm, that takes over when this one is killed. Needs `process`. */
  readonly spare?: boolean | undefined;
}

/** So many equal executions. Source: Triton "ModelWarmup". */
export interface WarmUpSample {
  readonly name: string;
  readonly rows: number;
  readonly count: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: Datatype;
    /** Without the batch dimension where `batched`. */
    readonly dims: readonly number[];
    readonly batched: boolean;
    /** Random numbers by a fixed seed instead of zeros. */
    readonly random?: boolean | undefined;
    /** Raw bytes of one row; every row of the batch is the same. */
    readonly file?: string | undefined;
  }[];
}

/** Of an instance's own model, and of the others. */
export interface InstanceMetadata extends RuntimeMetadata {
  readonly others?: Readonly<Record<string, RuntimeMetadata>> | undefined;
}

export type Isolation = 'thread' | 'process';

/** Joined inputs of one execution. Their buffers are transferred: the caller must not touch them again. */
export interface Batch {
  readonly inputs: readonly RuntimeTensor[];
  /** Padding included. */
  readonly rows: number;
  /** Absent: all outputs. */
  readonly outputs?: readonly string[] | undefined;
  /** One of the instance's `others`; absent: its own. */
  readonly model?: string | undefined;
  /** Some stages of a model that is cut: `inputs` are the values at `from`, the outcome's outputs those at `to`. */
  readonly stages?: readonly [from: number, to: number] | undefined;
  /** Tell the values at each boundary on the way (`onStage`): what is left of it where it is killed. */
  readonly checkpoints?: boolean | undefined;
}

/** Values alive before stage `at`. */
export interface StageValues {
  readonly at: number;
  readonly values: readonly RuntimeTensor[];
}

/** Times are nowNs() of this process. */
export type BatchOutcome =
  | {
      readonly ok: true;
      readonly outputs: readonly RuntimeTensor[];
      readonly startNs: number;
      readonly endNs: number;
      /** Of runtimes that have parts. */
      readonly parts?: readonly ExecutionPart[] | undefined;
    }
  | { readonly ok: false; readonly reason: FailureReason; readonly message: string };

/** `execution-failed`: the runtime threw; `worker-died`: so did everything it ran; `closed`: the server is stopping. */
type FailureReason = 'execution-failed' | 'worker-died' | 'killed' | 'closed';

/** `starting` (or starting again), `ready`, `failed` (would not start several times; it is still tried), `closed`. */
export type InstanceState = 'starting' | 'ready' | 'failed' | 'closed';

/** Where an instance runs, for its CPU time; tid is undefined where the system does not tell. */
export interface InstancePlace {
  readonly pid: number;
  readonly tid: number | undefined;
}

/** One loaded runtime. Executions are carried out in the order given, one at a time. */
export interface Instance {
  readonly id: number;
  state(): InstanceState;
  place(): InstancePlace | undefined;
  /** Of the loaded model. Rejects where the first start fails; the reason is the runtime's own error. */
  readonly started: Promise<InstanceMetadata>;
  /** `done` is called exactly once. While the instance starts again, executions wait for it. */
  execute(batch: Batch, done: (outcome: BatchOutcome) => void, onStage?: (values: StageValues) => void): void;
  /** At once where it is ready, else when it is. Not called after close. */
  whenReady(callback: () => void): void;
  /** Executions given and not ended. */
  pending(): number;
  /** End what runs, now where the isolation allows it; else its outcome is dropped when it comes. It ends as `killed`. */
  kill(): void;
  /** Lets what runs end, then stops the worker. */
  close(): Promise<void>;
}

/** To a worker. The first message is `start`. */
export type ToWorker =
  | { readonly kind: 'start'; readonly spec: InstanceSpec }
  | { readonly kind: 'execute'; readonly n: number; readonly batch: Batch }
  | { readonly kind: 'stop' };

/** From a worker. Times are nowNs() of the worker. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly metadata: InstanceMetadata; readonly tid: number | undefined }
  | { readonly kind: 'refused'; readonly error: string; readonly problems: readonly Problem[] | undefined }
  | {
      readonly kind: 'done';
      readonly n: number;
      readonly outputs: readonly RuntimeTensor[];
      readonly receivedNs: number;
      readonly startNs: number;
      readonly endNs: number;
      readonly parts?: readonly ExecutionPart[] | undefined;
    }
  | { readonly kind: 'stage'; readonly n: number; readonly values: StageValues }
  | { readonly kind: 'threw'; readonly n: number; readonly error: string };

/** What happens to an instance besides its executions; `text` is one line. */
export interface InstanceEvents {
  /** It died, was restarted, could not start. */
  event(text: string): void;
  /** A line that its worker wrote. */
  line(text: string): void;
}

/** What carries messages to and from a worker, and can end it: a thread or a child process. */
export interface Body {
  readonly pid: number;
  /** The worker's clock is this process's clock (threads). */
  readonly sameClock: boolean;
  post(message: ToWorker, transfer: readonly ArrayBuffer[]): void;
  /** False where it can't be killed safely (threads). */
  kill(): boolean;
  /** Resolves when it has ended after `stop`; ends it by force, where that is safe, if it does not in good time. */
  ended(): Promise<void>;
}

export interface BodyEvents {
  message(message: FromWorker): void;
  /** It ended, asked or not; with the last lines that it wrote. */
  exit(how: string, lastLines: readonly string[]): void;
  /** A line that it wrote. */
  line(text: string): void;
}
