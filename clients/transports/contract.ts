import type {
  InferenceService,
  InferRequest,
  InferResponse,
  ModelMetadata,
  ModelStatistics,
  ServerTimings,
} from '../../servers/protocol/index.js';

export type CallOutcome = 'ok' | 'rejected' | 'failed' | 'timedOut' | 'cancelled';

/** What became of one call. Times are nowNs(). */
export interface CallResult {
  readonly outcome: CallOutcome;
  /** The last byte of the request was handed to the socket; absent where the engine can't tell. */
  readonly sentNs?: number | undefined;
  readonly firstByteNs: number;
  readonly completedNs: number;
  /** `queue-full`, `HTTP 503`, `ECONNRESET` … where it was not ok. */
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
  /** The server's durations, where it sends them. */
  readonly timings?: ServerTimings | undefined;
  /** Decoded only when asked: accuracy needs it, latency does not. Always there unless the transport was made without `responses`. */
  response?(): InferResponse;
}

/** A request encoded once, before measuring; opaque to everybody but its transport. */
export type Encoded = unknown;

export interface CallHandle {
  cancel(): void;
}

/** One wire protocol, client side; knows nothing of load. */
export interface Transport {
  ready(signal?: AbortSignal): Promise<boolean>;
  modelMetadata(signal?: AbortSignal): Promise<ModelMetadata>;
  /** Triton's statistics; undefined where the server has none. */
  statistics(signal?: AbortSignal): Promise<ModelStatistics | undefined>;
  encode(request: InferRequest): Encoded;
  /** `done` is called exactly once. Callbacks, not promises: this is the per-request path. */
  infer(encoded: Encoded, done: (result: CallResult) => void): CallHandle;
  close(): Promise<void>;
}

export interface TransportOptions {
  /** `http://127.0.0.1:8000` or `127.0.0.1:8001`; unused in-process. */
  readonly url: string;
  readonly model: string;
  /** Connections that may be open at once. */
  readonly connections: number;
  readonly timeoutNs: number;
  /** Whether results need a `response`; default true. A load that looks at the time only spares itself the bodies' memory. */
  readonly responses?: boolean | undefined;
  /** The server core, for the in-process transport only. */
  readonly service?: InferenceService | undefined;
}

export interface TransportDefinition {
  readonly name: string;
  readonly summary: string;
  /** Which of a server's addresses it uses. */
  readonly endpoint: 'rest' | 'grpc' | 'none';
  create(options: TransportOptions): Transport;
}
