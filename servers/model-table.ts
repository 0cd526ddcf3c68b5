import type { HostedModel } from './hosted-model.js';
import { ProtocolError } from './protocol/errors.js';
import type {
  InferenceService,
  InferOutcome,
  InferRequest,
  InferTicket,
  ModelConfig,
  ModelMetadata,
  ModelRepository,
  ModelStatistics,
  ServerMetadata,
} from './protocol/index.js';

/**
 * The models of a server as frontends see them, by name and version. A request that names no version goes to the latest:
 * the highest number. Models come and go while requests do.
 */
export class ModelTable implements InferenceService {
  /** By name; versions ascending. */
  readonly #models = new Map<string, readonly HostedModel[]>();
  readonly #server: ServerMetadata;
  repository: ModelRepository | undefined;
  /** Why a model that there is, of which no version is here, can't be asked now; undefined: there is none of that name. */
  absent: (name: string) => string | undefined = () => undefined;
  #stopping = false;

  constructor(server: ServerMetadata) {
    this.#server = server;
  }

  /** Takes the place of one of the same name and version. */
  add(model: HostedModel): void {
    const others = this.versionsOf(model.name).filter(({ version }) => version !== model.version);
    this.#models.set(model.name, [...others, model].sort(byVersion));
  }

  /** New requests no longer find it; what it has taken goes on. */
  remove(model: HostedModel): void {
    const left = this.versionsOf(model.name).filter((each) => each !== model);
    if (left.length > 0) this.#models.set(model.name, left);
    else this.#models.delete(model.name);
  }

  /** Ascending; empty where there is none of that name. */
  versionsOf(name: string): readonly HostedModel[] {
    return this.#models.get(name) ?? [];
  }

  all(): readonly HostedModel[] {
    return [...this.#models.values()].flat();
  }

  /** From now on the server is live but not ready, and refuses new requests. */
  stopAccepting(): void {
    this.#stopping = true;
    for (const model of this.all()) model.stopAccepting('the server is stopping');
  }

  live(): boolean {
    return true;
  }

  ready(): boolean {
    return !this.#stopping && this.all().every((model) => model.ready());
  }

  serverMetadata(): ServerMetadata {
    return this.#server;
  }

  modelReady(name: string, version?: string): boolean {
    if (!this.#models.has(name) && this.absent(name) !== undefined) return false;
    return this.#find(name, version).ready();
  }

  modelMetadata(name: string, version?: string): ModelMetadata {
    const { metadata } = this.#find(name, version);
    return { ...metadata, versions: this.versionsOf(name).map((each) => each.version) };
  }

  modelConfig(name: string, version?: string): ModelConfig {
    return this.#find(name, version).config;
  }

  modelStatistics(name?: string, version?: string): readonly ModelStatistics[] {
    if (name === undefined) return this.all().map((model) => model.statistics());
    const asked = version === undefined || version === '' ? undefined : this.#find(name, version);
    if (asked === undefined) this.#find(name, undefined);
    return asked ? [asked.statistics()] : this.versionsOf(name).map((model) => model.statistics());
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    let model: HostedModel;
    try {
      model = this.#find(request.modelName, request.modelVersion);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      done({ ok: false, error });
      return NOTHING_TO_CANCEL;
    }
    return model.infer(request, receivedNs, done);
  }

  feedback(name: string, id: string, label: number): void {
    const model = this.#find(name, undefined);
    if (model.feedback === undefined)
      throw new ProtocolError(
        'UNIMPLEMENTED',
        `model "${name}" learns nothing from feedback; a front clipper-select does`,
      );
    model.feedback(id, label);
  }

  #find(name: string, version: string | undefined): HostedModel {
    const versions = this.#models.get(name);
    if (versions === undefined) throw this.#missing(name);
    if (version === undefined || version === '') return versions.at(-1)!;
    const found = versions.find((model) => model.version === version);
    if (found !== undefined) return found;
    const expected = versions.map((model) => `"${model.version}"`).join(', ');
    throw notFound(`model "${name}" has no version "${version}"; expected ${expected}`);
  }

  #missing(name: string): ProtocolError {
    const why = this.absent(name);
    if (why !== undefined) return new ProtocolError('UNAVAILABLE', `model "${name}" is not ready: ${why}`, 'not-ready');
    return notFound(`unknown model "${name}"; this server has ${listed(this.#models)}`);
  }
}

function byVersion(a: HostedModel, b: HostedModel): number {
  return Number(a.version) - Number(b.version);
}

const LISTED = 20;

function listed(models: ReadonlyMap<string, unknown>): string {
  if (models.size === 0) return 'no models now';
  const names = [...models.keys()].slice(0, LISTED).map((name) => `"${name}"`);
  const more = models.size - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function notFound(message: string): ProtocolError {
  return new ProtocolError('NOT_FOUND', message);
}

const NOTHING_TO_CANCEL: InferTicket = { cancel: () => {} };
