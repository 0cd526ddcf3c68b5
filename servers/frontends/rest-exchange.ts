import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InferenceService } from '../protocol/index.js';
import type { FrontendLimits } from './contract.js';

/** One request on its way. */
export interface Exchange {
  readonly service: InferenceService;
  readonly limits: FrontendLimits;
  readonly metrics: (() => Promise<string>) | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** nowNs() when its head had come. */
  readonly receivedNs: number;
  /** Empty where the path names no model. */
  readonly model: string;
  readonly version: string | undefined;
}
