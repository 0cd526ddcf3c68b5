import type { InferenceService } from '../protocol/index.js';
import type { HttpExchange } from './http1-connection.js';

/** What requests are answered from. */
export interface RestContext {
  readonly service: InferenceService;
  readonly metrics: (() => Promise<string>) | undefined;
}

/** What a path names. */
export interface Target {
  /** Empty where the path names no model. */
  readonly model: string;
  readonly version: string | undefined;
}

export type Handler = (context: RestContext, exchange: HttpExchange, target: Target) => void | Promise<void>;
