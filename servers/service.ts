import type { Instance } from './executors/index.js';
import type { RealExecutor } from './executors/real.js';
import { hintsOf } from './hints.js';
import type { HostedModel } from './hosted-model.js';
import { ProtocolError } from './protocol/errors.js';
import type {
  InferOutcome,
  InferRequest,
  InferTicket,
  ModelConfig,
  ModelMetadata,
  ModelStatistics,
} from './protocol/index.js';
import { requestValidator } from './protocol/validate.js';
import type { StatisticsCollector } from './statistics.js';

export interface ServiceParts {
  readonly model: ModelMetadata;
  readonly version: string;
  readonly config: ModelConfig;
  readonly executor: RealExecutor;
  readonly instances: readonly Instance[];
  readonly statistics: Pick<StatisticsCollector, 'snapshot' | 'requestFailed'>;
  /** Most rows of a request; 0 where the model has no batch dimension. */
  readonly maxRows: number;
}

/** A model behind one executor. */
export class ModelService implements HostedModel {
  readonly name: string;
  readonly version: string;
  readonly metadata: ModelMetadata;
  readonly config: ModelConfig;
  readonly #parts: ServiceParts;
  readonly #validate: (request: InferRequest) => number;
  #stopping: string | undefined;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.name = parts.model.name;
    this.version = parts.version;
    this.metadata = parts.model;
    this.config = parts.config;
    this.#validate = requestValidator(parts.model, parts.maxRows);
  }

  stopAccepting(why: string): void {
    this.#stopping = why;
  }

  ready(): boolean {
    return this.#stopping === undefined && this.#parts.instances.some(isAlive);
  }

  statistics(): ModelStatistics {
    return this.#parts.statistics.snapshot();
  }

  waiting(): number {
    return this.#parts.executor.waiting();
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    try {
      if (!this.ready()) throw this.#notReady();
      const rows = this.#validate(request);
      return this.#parts.executor.submit(request, rows, hintsOf(request.parameters), receivedNs, done);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#parts.statistics.requestFailed(0);
      done({ ok: false, error });
      return NOTHING_TO_CANCEL;
    }
  }

  drained(): Promise<void> {
    return this.#parts.executor.drained();
  }

  close(): Promise<void> {
    return this.#parts.executor.close();
  }

  #notReady(): ProtocolError {
    const why = this.#stopping ?? 'no instance of the model comes up';
    return new ProtocolError('UNAVAILABLE', `model "${this.name}" is not ready: ${why}`, 'not-ready');
  }
}

/** One that starts again after a death still takes requests: they wait for it. */
function isAlive(instance: Instance): boolean {
  const state = instance.state();
  return state === 'ready' || state === 'starting';
}

const NOTHING_TO_CANCEL: InferTicket = { cancel: () => {} };
