import { statSync } from 'node:fs';
import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { duration, size } from '../../results/units.js';
import { createController } from '../controllers/index.js';
import type { HostedModel } from '../hosted-model.js';
import type { LoadedModel } from '../load-model.js';
import { ProtocolError } from '../protocol/errors.js';
import type { InferOutcome, InferRequest, InferTicket, ModelStatistics } from '../protocol/index.js';
import { StatisticsCollector, sumOfStatistics } from '../statistics.js';
import { defineFront, type Front, type FrontContext, type NamedModel } from './contract.js';
import { Copy } from './support/copy.js';
import { Door, NOTHING } from './support/door.js';

const options = z.strictObject({
  /** Memory for models, one entry an instance of the mesh: bytes of model files. */
  instances: z.array(z.strictObject({ capacity: size() })).min(1),
  /** Other names of models (vmodels): `{ best: net-3 }`. */
  aliases: z.record(z.string(), z.string()).default({}),
  /** Load at start what there is room for. */
  register: z.boolean().default(false),
  scaleUpRpm: z.number().positive().optional(),
  rateInterval: duration().default(10e9),
  secondCopyMinAge: duration().optional(),
  secondCopyMaxAge: duration().optional(),
  minAge: duration().optional(),
});
type Options = z.output<typeof options>;

/** What the controller answers, as far as it is carried out. */
interface Placed {
  readonly hit?: boolean;
  readonly instance?: number | null;
  readonly evicted?: readonly string[];
  readonly added?: number;
}

/**
 * Many models in memory for few: each is loaded when it is asked for, the least recently used give way, hot ones get copies.
 * What is evicted is drained and closed before the next model is loaded in its place. Every model is loaded once at the
 * start, which tells its interface, its size (bytes of its file) and how long it takes.
 */
export const modelmeshLru = defineFront({
  name: 'modelmesh-lru',
  summary: 'many models in limited memory: loaded when asked for, least recently used ones evicted, hot ones copied',
  options,
  start: async (given, context) => {
    const known: Known[] = [];
    for (const spec of context.models) known.push(await inspect(spec, context));
    return new Mesh(given, known, context).front();
  },
});

/** What the first load told of a model. */
interface Known {
  readonly spec: NamedModel;
  readonly loaded: LoadedModel;
  readonly bytes: number;
  readonly loadNs: number;
}

async function inspect(spec: NamedModel, context: FrontContext): Promise<Known> {
  const since = nowNs();
  const loaded = await context.load(spec);
  const loadNs = nowNs() - since;
  await loaded.service.close();
  const { path } = loaded.model;
  return { spec, loaded, bytes: path === undefined ? 1 : statSync(path).size, loadNs };
}

class Mesh {
  readonly #controller: ReturnType<typeof createController>;
  /** By model, then by instance. */
  readonly #copies = new Map<string, Map<number, Copy>>();
  /** What must be gone from an instance before anything is loaded there. */
  readonly #leaving: Promise<unknown>[];
  readonly #originNs = nowNs();
  readonly #timer: NodeJS.Timeout;
  readonly #past = new Map<string, ModelStatistics[]>();
  readonly #loads = { count: 0, ns: 0 };

  constructor(
    private readonly given: Options,
    private readonly known: readonly Known[],
    private readonly context: FrontContext,
  ) {
    const { aliases: _, register, ...rest } = given;
    const models = known.map(({ spec, bytes, loadNs }) => [
      spec.modelName,
      { size: bytes, loadTime: Math.round(loadNs) },
    ]);
    this.#controller = createController('modelmesh-lru', { ...rest, models: Object.fromEntries(models) });
    this.#leaving = given.instances.map(() => Promise.resolve());
    if (register) for (const { spec } of known) this.#placed(spec.modelName, this.#step('register', spec.modelName));
    this.#timer = setInterval(() => this.#tick(), given.rateInterval / 1e6).unref();
  }

  front(): Front {
    const own = this.known.map((each) => new MeshModel(each.spec.modelName, each.spec.modelName, each, this));
    const aliases = Object.entries(this.given.aliases).flatMap(([alias, name]) => {
      const of = this.known.find(({ spec }) => spec.modelName === name);
      return of ? [new MeshModel(alias, name, of, this)] : [];
    });
    return {
      models: [...own, ...aliases],
      first: this.known[0]!.loaded,
      loaded: () => this.#all().flatMap(({ loaded }) => loaded ?? []),
    };
  }

  /** The copy that answers, perhaps one that begins to load now; undefined where nothing makes room. */
  copyFor(model: string): Copy | undefined {
    const placed = this.#step('invoke', model);
    this.#placed(model, placed);
    return placed.instance === null || placed.instance === undefined
      ? undefined
      : this.#copies.get(model)?.get(placed.instance);
  }

  statistics(known: Known): ModelStatistics {
    const name = known.spec.modelName;
    const now = [...(this.#copies.get(name)?.values() ?? [])].flatMap(
      ({ loaded }) => loaded?.service.statistics() ?? [],
    );
    const empty = new StatisticsCollector(name, known.loaded.service.version).snapshot();
    const sum = sumOfStatistics([empty, ...(this.#past.get(name) ?? []), ...now])!;
    // The mesh's loads are told once.
    return known === this.known[0]
      ? { ...sum, servemark_loads: { ...this.#loads, ns: Math.round(this.#loads.ns) } }
      : sum;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#all().map((copy) => copy.close()));
  }

  #all(): Copy[] {
    return [...this.#copies.values()].flatMap((copies) => [...copies.values()]);
  }

  #step(op: string, model?: string): Placed {
    return this.#controller.step({ op, model, at: Math.floor(nowNs() - this.#originNs) }) as Placed;
  }

  #placed(model: string, { instance, added, evicted = [] }: Placed): void {
    const target = added ?? instance;
    if (target === null || target === undefined) return;
    for (const name of evicted) this.#evict(name, target);
    const copies = this.#copies.get(model) ?? new Map<number, Copy>();
    this.#copies.set(model, copies);
    if (!copies.has(target)) copies.set(target, this.#load(model, target));
  }

  #load(model: string, instance: number): Copy {
    const { spec } = this.known.find((each) => each.spec.modelName === model)!;
    const gone = this.#leaving[instance]!;
    const copy = new Copy(async () => {
      await gone;
      return this.context.load(spec);
    });
    void copy.over.then(() => {
      this.#loads.count++;
      this.#loads.ns += copy.loadNs;
    });
    return copy;
  }

  #evict(model: string, instance: number): void {
    const copies = this.#copies.get(model);
    const copy = copies?.get(instance);
    if (copy === undefined) return;
    copies!.delete(instance);
    const closed = copy.close().then(() => {
      if (copy.loaded) this.#past.set(model, [...(this.#past.get(model) ?? []), copy.loaded.service.statistics()]);
    });
    this.#leaving[instance] = Promise.all([this.#leaving[instance], closed]);
  }

  #tick(): void {
    const { added } = this.#step('tick') as unknown as {
      readonly added: readonly (Placed & { readonly model: string })[];
    };
    for (const { model, ...placed } of added) this.#placed(model, placed);
  }
}

class MeshModel implements HostedModel {
  readonly version: string;
  readonly metadata: HostedModel['metadata'];
  readonly config: HostedModel['config'];
  readonly #door = new Door();

  constructor(
    readonly name: string,
    private readonly of: string,
    private readonly known: Known,
    private readonly mesh: Mesh,
  ) {
    const { service } = known.loaded;
    this.version = service.version;
    this.metadata = { ...service.metadata, name };
    this.config = { ...service.config, name };
  }

  ready(): boolean {
    return this.#door.isOpen();
  }

  statistics(): ModelStatistics {
    if (this.name === this.of) return this.mesh.statistics(this.known);
    return new StatisticsCollector(this.name, this.version).snapshot();
  }

  waiting(): number {
    return 0;
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    return this.#door.pass(this.name, done, (answered) => {
      const copy = this.mesh.copyFor(this.of);
      if (copy !== undefined) return copy.ask(request, receivedNs, answered);
      const message = `no-capacity: no instance has room for model "${this.of}" now`;
      answered({ ok: false, error: new ProtocolError('UNAVAILABLE', message, 'no-capacity') });
      return NOTHING;
    });
  }

  stopAccepting(why: string): void {
    this.#door.shut(why);
  }

  drained(): Promise<void> {
    return this.#door.empty();
  }

  close(): Promise<void> {
    return this.mesh.close();
  }
}
