import type { InferenceService } from '../protocol/index.js';

/** Limits of what a client may send. */
export interface FrontendLimits {
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
}

export interface FrontendOptions {
  /** Loopback unless the user says otherwise. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly limits: FrontendLimits;
  /** Text for `GET /metrics`. */
  readonly metrics?: () => Promise<string>;
}

export interface Frontend {
  /** `http://127.0.0.1:8000` for REST, `127.0.0.1:8001` for gRPC. */
  readonly address: string;
  readonly port: number;
  /** Stops accepting, waits for requests in flight, closes. */
  close(): Promise<void>;
}

export interface FrontendDefinition {
  readonly name: string;
  readonly summary: string;
  start(service: InferenceService, options: FrontendOptions): Promise<Frontend>;
}
