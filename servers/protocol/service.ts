import type { ProtocolError } from './errors.js';
import type {
  InferRequest,
  InferResponse,
  ModelConfig,
  ModelMetadata,
  ModelStatistics,
  ServerMetadata,
  ServerTimings,
} from './types.js';

/** A request's result as the core hands it to a frontend. */
export type InferOutcome =
  | { readonly ok: true; readonly response: InferResponse; readonly timings: ServerTimings }
  | { readonly ok: false; readonly error: ProtocolError; readonly timings?: ServerTimings | undefined };

/** A request in the server. */
export interface InferTicket {
  /** The client went away: a request that waits is dropped, one that runs is ignored. `done` is not called afterwards. */
  cancel(): void;
}

/** One entry of the repository extension's index; spelt as on the wire. */
export interface ModelIndex {
  readonly name: string;
  /** Empty where none is loaded. */
  readonly version: string;
  readonly state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  readonly reason: string;
}

/** Triton's repository extension: models that come and go while the server runs. They throw ProtocolError. */
export interface ModelRepository {
  index(readyOnly: boolean): readonly ModelIndex[];
  /** Resolves when it is ready. `parameters`: `config`, a model configuration as JSON. */
  load(name: string, parameters: Readonly<Record<string, unknown>>): Promise<void>;
  /** Resolves when it is gone and what it had is answered. */
  unload(name: string): Promise<void>;
}

/** What a frontend needs of the server core; also the whole of the in-process transport. */
export interface InferenceService {
  live(): boolean;
  ready(): boolean;
  serverMetadata(): ServerMetadata;
  /** Throws ProtocolError NOT_FOUND for an unknown model or version, as do the next three. */
  modelReady(name: string, version?: string): boolean;
  modelMetadata(name: string, version?: string): ModelMetadata;
  modelConfig(name: string, version?: string): ModelConfig;
  /** All models where no name is given. */
  modelStatistics(name?: string, version?: string): readonly ModelStatistics[];
  /**
   * Queue a decoded request. `receivedNs` (nowNs) is when its first byte came. `done` is called exactly once, later or at
   * once (refusals), unless cancelled. Callbacks, not promises: this is the per-request path.
   */
  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket;
  /**
   * What was right about an earlier request (its id) of a model that learns from it. Absent: none does. Throws ProtocolError.
   */
  readonly feedback?: ((name: string, id: string, label: number) => void) | undefined;
  /** Absent: its models are those that it was started with. */
  readonly repository?: ModelRepository | undefined;
}
