import type { Problem } from '../../../results/errors.js';
import type { RuntimeMetadata, RuntimeTensor } from '../contract.js';

/** What a worker is started with. */
export interface WorkerSpec {
  /** For errors: `stage 1`. */
  readonly name: string;
  /** Model files, each loaded as a session of its own; executed by their place in this list. */
  readonly models: readonly string[];
  /** The onnx runtime's. */
  readonly options: unknown;
  /** Processors of its thread, as in `taskset -c`. */
  readonly cpus?: string | undefined;
}

export type ToWorker =
  | {
      readonly kind: 'execute';
      readonly n: number;
      readonly model: number;
      readonly inputs: readonly RuntimeTensor[];
      readonly rows: number;
      readonly outputs?: readonly string[] | undefined;
    }
  | { readonly kind: 'stop' };

export type FromWorker =
  | {
      readonly kind: 'ready';
      readonly metadata: readonly RuntimeMetadata[];
      /** That its thread may run on, as the kernel says, where it was pinned. */
      readonly cpus: string | undefined;
    }
  | { readonly kind: 'refused'; readonly error: string; readonly problems: readonly Problem[] | undefined }
  | {
      readonly kind: 'done';
      readonly n: number;
      readonly outputs: readonly RuntimeTensor[];
      readonly startNs: number;
      readonly endNs: number;
    }
  | { readonly kind: 'threw'; readonly n: number; readonly error: string };
