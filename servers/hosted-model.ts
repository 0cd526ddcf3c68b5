import type { InferenceService, InferTicket, ModelConfig, ModelMetadata, ModelStatistics } from './protocol/index.js';

/** One version of a model that a server has, however its answers come about: a model table holds many. */
export interface HostedModel {
  readonly name: string;
  readonly version: string;
  /** Without `versions`: these are the table's to tell. */
  readonly metadata: Omit<ModelMetadata, 'versions'>;
  readonly config: ModelConfig;
  ready(): boolean;
  statistics(): ModelStatistics;
  /** Requests that wait for their first execution. */
  waiting(): number;
  /** A request that names this model and version; as `InferenceService.infer`. */
  infer(...call: Parameters<InferenceService['infer']>): InferTicket;
  /** The right answer to an earlier request, where it learns. */
  feedback?(id: string, label: number): void;
  /** From now on it refuses new requests and says why. */
  stopAccepting(why: string): void;
  /** Resolves when nothing that it has taken is unanswered. */
  drained(): Promise<void>;
  /** Ends what it runs on; what is unanswered fails. */
  close(): Promise<void>;
}
