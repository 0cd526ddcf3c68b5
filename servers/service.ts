import type { Instance } from './executors/index.js';
import type { RealExecutor } from './executors/real.js';
import { hintsOf } from './hints.js';
import { ProtocolError } from './protocol/errors.js';
import type {
  InferenceService,
  InferOutcome,
  InferRequest,
  InferTicket,
  ModelConfig,
  ModelMetadata,
  ModelStatistics,
  ServerMetadata,
} from './protocol/index.js';
import { requestValidator } from './protocol/validate.js';

export interface ServiceParts {
  readonly server: ServerMetadata;
  readonly model: ModelMetadata;
  readonly version: string;
  readonly config: ModelConfig;
  readonly executor: RealExecutor;
  readonly instances: readonly Instance[];
  readonly statistics: { snapshot(): ModelStatistics; requestFailed(ns: number): void };
  /** Most rows of a request; 0 where the model has no batch dimension. */
  readonly maxRows: number;
}

/** The server core as frontends see it: one model behind one executor. */
export class ModelService implements InferenceService {
  readonly #parts: ServiceParts;
  readonly #validate: (request: InferRequest) => number;
  #stopping = false;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#validate = requestValidator(parts.model, parts.maxRows);
  }

  /** From now on it is live but not ready, and refuses new requests. */
  stopAccepting(): void {
    this.#stopping = true;
  }

  live(): boolean {
    return true;
  }

  ready(): boolean {
    return !this.#stopping && this.#parts.instances.some(isAlive);
  }

  serverMetadata(): ServerMetadata {
    return this.#parts.server;
  }

  modelReady(name: string, version?: string): boolean {
    this.#check(name, version);
    return this.ready();
  }

  modelMetadata(name: string, version?: string): ModelMetadata {
    this.#check(name, version);
    return this.#parts.model;
  }

  modelConfig(name: string, version?: string): ModelConfig {
    this.#check(name, version);
    return this.#parts.config;
  }

  modelStatistics(name?: string, version?: string): readonly ModelStatistics[] {
    if (name !== undefined) this.#check(name, version);
    return [this.#parts.statistics.snapshot()];
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    try {
      this.#check(request.modelName, request.modelVersion);
      if (!this.ready()) throw this.#notReady();
      const rows = this.#validate(request);
      return this.#parts.executor.submit(request, rows, hintsOf(request.parameters), receivedNs, done);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code !== 'NOT_FOUND') this.#parts.statistics.requestFailed(0);
      done({ ok: false, error });
      return NOTHING_TO_CANCEL;
    }
  }

  #check(name: string, version: string | undefined): void {
    const { model, version: served } = this.#parts;
    if (name !== model.name)
      throw new ProtocolError('NOT_FOUND', `unknown model "${name}"; this server has "${model.name}"`);
    if (version !== undefined && version !== '' && version !== served)
      throw new ProtocolError('NOT_FOUND', `model "${name}" has no version "${version}"; expected "${served}"`);
  }

  #notReady(): ProtocolError {
    const why = this.#stopping ? 'the server is stopping' : 'no instance of the model comes up';
    return new ProtocolError('UNAVAILABLE', `model "${this.#parts.model.name}" is not ready: ${why}`, 'not-ready');
  }
}

/** One that starts again after a death still takes requests: they wait for it. */
function isAlive(instance: Instance): boolean {
  const state = instance.state();
  return state === 'ready' || state === 'starting';
}

const NOTHING_TO_CANCEL: InferTicket = { cancel: () => {} };
