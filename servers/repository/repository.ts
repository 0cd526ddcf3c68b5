import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, UserError } from '../../results/errors.js';
import { type LoadedModel, loadModel } from '../load-model.js';
import type { ModelTable } from '../model-table.js';
import { ProtocolError } from '../protocol/errors.js';
import type { ModelIndex, ModelRepository } from '../protocol/index.js';
import { ignoredFields, parseConfig, type RepositoryConfig } from './config.js';
import { type ModelFolder, readFolder, readFolders } from './layout.js';
import { servedSpec } from './served.js';
import type { RepositoryContext, RepositorySpec } from './spec.js';
import { nextSwap, type VersionState, wantedVersions } from './swap.js';

const DEFAULT_POLL_MS = 2000;
/** The longest wait for the answers of a version that goes. */
const DRAIN_MS = 8000;

/** A version of a model, from when it is wanted to when it is gone. */
interface Version extends VersionState {
  wanted: boolean;
  state: VersionState['state'];
  readonly signature: string;
  readonly spec: ReturnType<typeof servedSpec> | undefined;
  loaded?: LoadedModel;
  reason: string;
}

interface Model {
  readonly name: string;
  versions: Version[];
  /** Of the load API; replaces the folder's. */
  override: RepositoryConfig | undefined;
  /** Why it has no versions now. */
  reason: string;
  /** One change after the other. */
  work: Promise<void>;
}

/**
 * The models of a folder, kept in a table: which versions are wanted follows from files, configuration and control mode;
 * what is wanted is loaded, what is not is drained and unloaded, in the order that the swap policy says. A version that will
 * not load is told in the index, and nothing that serves is given up for it. Throws UserError where control is `none` or
 * names models and one of them will not load.
 */
export async function openRepository(
  spec: RepositorySpec,
  table: ModelTable,
  context: RepositoryContext,
): Promise<ModelRepository & { close(): Promise<void> }> {
  const repository = new Repository(spec, table, context);
  table.absent = (name) => repository.whyAbsent(name);
  await repository.open();
  return repository;
}

class Repository implements ModelRepository {
  readonly #models = new Map<string, Model>();
  readonly #stopping = new AbortController();
  #polling: Promise<void> = Promise.resolve();

  constructor(
    private readonly spec: RepositorySpec,
    private readonly table: ModelTable,
    private readonly context: RepositoryContext,
  ) {}

  async open(): Promise<void> {
    const folders = readFolders(this.spec.root);
    const first = this.spec.control === 'explicit' ? this.#named(folders, this.spec.load ?? []) : folders;
    await Promise.all(first.map((folder) => this.#follow(folder)));
    const failed = [...this.#models.values()].flatMap(({ name, versions }) =>
      versions.filter(({ state }) => state === 'failed').map(({ version, reason }) => ({ name, version, reason })),
    );
    if (failed.length > 0 && this.spec.control !== 'poll') {
      await this.close();
      throw new UserError(
        failed.map(({ name, version, reason }) => ({
          place: `model ${labelOf(name, version)}`,
          found: `it does not load: ${reason}`,
        })),
      );
    }
    if (this.spec.control === 'poll') this.#polling = this.#poll();
  }

  index(readyOnly: boolean): readonly ModelIndex[] {
    const known = new Map([...this.#models].map(([name, model]) => [name, model.versions]));
    for (const { name } of readFolders(this.spec.root)) if (!known.has(name)) known.set(name, []);
    const all = [...known].flatMap(([name, versions]): ModelIndex[] =>
      versions.length === 0
        ? [{ name, version: '', state: 'UNAVAILABLE', reason: this.#models.get(name)?.reason || 'not loaded' }]
        : versions.map(({ version, state, reason }) => ({ name, version, state: STATES[state], reason })),
    );
    return readyOnly ? all.filter(({ state }) => state === 'READY') : all;
  }

  async load(name: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    this.#refuseUnlessExplicit();
    const folder = this.#folder(name);
    const model = this.#model(name);
    model.override = overrideOf(name, parameters);
    // What failed is tried again.
    model.versions = model.versions.filter(({ state }) => state !== 'failed');
    await this.#follow(folder);
    const failed = model.versions.filter(({ wanted, state }) => wanted && state === 'failed');
    if (failed.length === 0) return;
    const reasons = failed.map(({ version, reason }) => (version === '' ? reason : `version ${version}: ${reason}`));
    throw new ProtocolError('INVALID_ARGUMENT', `model "${name}" does not load: ${reasons.join('; ')}`);
  }

  async unload(name: string): Promise<void> {
    this.#refuseUnlessExplicit();
    if (!this.#models.has(name)) this.#folder(name);
    const model = this.#model(name);
    model.override = undefined;
    model.reason = 'unloaded';
    await this.#want(model, []);
  }

  /** Why a model of the repository can't be asked; undefined where it is none of its. */
  whyAbsent(name: string): string | undefined {
    const model = this.#models.get(name);
    if (model === undefined) return readFolder(this.spec.root, name) === undefined ? undefined : 'it is not loaded';
    const [first] = model.versions;
    if (first === undefined) return model.reason || 'it has no versions';
    return first.state === 'failed' ? `it does not load: ${first.reason}` : `it is ${first.state}`;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
    await Promise.all([...this.#models.values()].map((model) => model.work));
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await delay(this.spec.pollMs ?? DEFAULT_POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const folders = readFolders(this.spec.root);
        const gone = [...this.#models.values()].filter(({ name }) => !folders.some((folder) => folder.name === name));
        await Promise.all([
          ...folders.map((folder) => this.#follow(folder)),
          ...gone.map((model) => this.#want(model, [])),
        ]);
      } catch (error) {
        this.context.event(`model repository ${this.spec.root}: ${messageOf(error)}`);
      }
    }
  }

  /** Brings what is loaded of a model to what its folder says. */
  async #follow(folder: ModelFolder): Promise<void> {
    const model = this.#model(folder.name);
    const config = model.override ?? folder.config;
    if (config instanceof UserError) {
      await this.#want(model, [failedVersion('', config.message)]);
      return;
    }
    const versions = wantedVersions(folder.versions, config.version_policy);
    if (versions.length === 0) {
      await this.#want(model, [failedVersion('', noVersion(folder))]);
      return;
    }
    const ignored = ignoredFields(config);
    if (ignored.length > 0 && model.versions.length === 0)
      this.context.event(`model ${folder.name}: its configuration’s ${ignored.join(', ')} changes nothing here`);
    await this.#want(
      model,
      versions.map((version) => wantedVersion(this.spec.root, folder.name, version, config)),
    );
  }

  /** What is there under the same signature stays, the rest of `wanted` is new, all else goes. */
  #want(model: Model, wanted: readonly Version[]): Promise<void> {
    model.work = model.work.then(() => {
      const same = (a: Version, b: Version) => a.version === b.version && a.signature === b.signature;
      const kept = model.versions.filter((each) => each.state === 'ready' || wanted.some((other) => same(each, other)));
      for (const each of kept) each.wanted = wanted.some((other) => same(each, other));
      const added = wanted.filter((each) => !kept.some((other) => same(each, other)));
      for (const { version, state, reason } of added)
        if (state === 'failed') this.context.event(`model ${labelOf(model.name, version)} does not load: ${reason}`);
      model.versions = [...kept, ...added];
      return this.#swap(model);
    });
    return model.work;
  }

  async #swap(model: Model): Promise<void> {
    for (;;) {
      const action = nextSwap(model.versions, this.spec.swap ?? 'availability');
      if (action === undefined) return;
      if (action.kind === 'load') await this.#load(model, action.version);
      else await this.#unload(model, action.version);
    }
  }

  async #load(model: Model, version: Version): Promise<void> {
    version.state = 'loading';
    const { events, signal, shared } = this.context;
    try {
      const place = `${model.name}/${version.version}`;
      version.loaded = await loadModel(
        { ...version.spec!, isolation: this.spec.isolation },
        { place, events, signal, shared },
      );
      this.table.add(version.loaded.service);
      version.state = 'ready';
      this.context.event(`model ${place} is ready`);
    } catch (error) {
      version.state = 'failed';
      version.reason = messageOf(error);
      this.context.event(`model ${model.name}/${version.version} does not load: ${version.reason}`);
    }
  }

  /** New requests go elsewhere from now on; what it has is answered before it goes. */
  async #unload(model: Model, version: Version): Promise<void> {
    const { service } = version.loaded!;
    version.state = 'unloading';
    this.table.remove(service);
    service.stopAccepting('it is being unloaded');
    await Promise.race([service.drained(), delay(DRAIN_MS, undefined, { ref: false })]);
    await service.close();
    model.versions = model.versions.filter((each) => each !== version);
    this.context.event(`model ${model.name}/${version.version} is unloaded`);
  }

  #model(name: string): Model {
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    const model = { name, versions: [], override: undefined, reason: '', work: Promise.resolve() };
    this.#models.set(name, model);
    return model;
  }

  #folder(name: string): ModelFolder {
    const folder = readFolder(this.spec.root, name);
    if (folder !== undefined) return folder;
    const names = readFolders(this.spec.root).map((each) => `"${each.name}"`);
    throw new ProtocolError(
      'NOT_FOUND',
      `no model "${name}" in the repository; it has ${names.slice(0, 20).join(', ')}`,
    );
  }

  #named(folders: readonly ModelFolder[], names: readonly string[]): ModelFolder[] {
    if (names.includes('*')) return [...folders];
    return names.map((name) => {
      const found = folders.find((folder) => folder.name === name);
      if (found !== undefined) return found;
      throw new UserError({
        place: `model repository ${this.spec.root}`,
        found: `there is no model "${name}"`,
        allowed: folders.map((folder) => folder.name).join(', '),
      });
    });
  }

  #refuseUnlessExplicit(): void {
    if (this.spec.control === 'explicit') return;
    throw new ProtocolError(
      'UNAVAILABLE',
      `explicit model load / unload is not allowed under model control ${this.spec.control}; start the server with --model-control explicit`,
    );
  }
}

const STATES = {
  new: 'LOADING',
  loading: 'LOADING',
  ready: 'READY',
  unloading: 'UNLOADING',
  failed: 'UNAVAILABLE',
} as const satisfies Record<Version['state'], ModelIndex['state']>;

function wantedVersion(root: string, name: string, version: string, config: RepositoryConfig): Version {
  try {
    const spec = servedSpec(root, name, version, config);
    return { version, wanted: true, state: 'new', signature: spec.signature, spec, reason: '' };
  } catch (error) {
    return failedVersion(version, messageOf(error));
  }
}

/** `m/2`; `m` where it is about all of its versions. */
function labelOf(name: string, version: string): string {
  return version === '' ? name : `${name}/${version}`;
}

function noVersion({ name, versions }: ModelFolder): string {
  const found = versions.length > 0 ? `it has only version ${versions.join(', ')}` : 'it has no version';
  const remedy = versions.length > 0 ? 'its version_policy wants others' : `put the model into ${name}/1`;
  return `${found}: ${remedy}`;
}

function failedVersion(version: string, reason: string): Version {
  return { version, wanted: true, state: 'failed', signature: reason, spec: undefined, reason };
}

/** Triton's `config`; files in a request (`file:…`) would write into the server's file system. */
function overrideOf(name: string, parameters: Readonly<Record<string, unknown>>): RepositoryConfig | undefined {
  const files = Object.keys(parameters).filter((key) => key.startsWith('file:'));
  if (files.length > 0)
    throw new ProtocolError(
      'INVALID_ARGUMENT',
      `parameter "${files[0]}" is not taken; expected "config" alone: put the file into the model repository`,
    );
  if (parameters.config === undefined) return undefined;
  try {
    return parseConfig(String(parameters.config), `model ${name}, parameter config`);
  } catch (error) {
    throw new ProtocolError('INVALID_ARGUMENT', messageOf(error));
  }
}
