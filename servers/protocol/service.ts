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
}
