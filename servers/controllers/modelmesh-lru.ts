import { z } from 'zod';
import { duration } from '../../results/units.js';
import { positive } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { type Copy, ModelCluster } from './support/model-cluster.js';
import { answering, at, operations } from './support/steps.js';

const HOUR = 3600e9;

const options = z.strictObject({
  instances: z.array(z.strictObject({ capacity: z.number().nonnegative() })).min(1),
  models: z.record(z.string(), z.strictObject({ size: z.number().positive(), loadTime: duration() })),
  /** A copy that serves more invocations a minute gets a sister. */
  scaleUpRpm: z.number().positive().default(2000),
  /** Time between ticks. */
  rateInterval: duration().default(10e9),
  secondCopyMinAge: duration().default(420e9),
  secondCopyMaxAge: duration().default(2400e9),
  /** Younger copies are not evicted; by default ten times a third of the model's load time, and at least 30 s. */
  minAge: duration().optional(),
});
type Options = z.output<typeof options>;

/** A cluster's instances as one cache of models: the least recently used give way, hot models get copies. */
export const modelmeshLru = defineController({
  name: 'modelmesh-lru',
  summary: 'A cluster as one LRU cache of models, with more copies of hot ones',
  source: 'KServe ModelMesh',
  options,
  create(given) {
    const mesh = new Mesh(given);
    const place = 'modelmesh-lru';
    const model = z.enum(Object.keys(given.models));
    const invoke = z.object({ at: at(), model, count: positive().default(1) });
    return operations(place, {
      register: answering(`${place}.register`, z.object({ at: at(), model }), (step) =>
        mesh.register(step.model, step.at),
      ),
      invoke: answering(`${place}.invoke`, invoke, (step) => {
        for (let i = 1; i < step.count; i++) mesh.invoke(step.model, step.at);
        return mesh.invoke(step.model, step.at);
      }),
      tick: answering(`${place}.tick`, z.object({ at: at() }), (step) => mesh.tick(step.at)),
    });
  },
});

class Mesh {
  readonly #cluster: ModelCluster;
  /** Ascending. */
  readonly #names: readonly string[];

  constructor(readonly options: Options) {
    const { models } = options;
    this.#names = Object.keys(models).sort();
    this.#cluster = new ModelCluster(
      options.instances.map(({ capacity }) => capacity),
      (model) => models[model]!.size,
      (model) => options.minAge ?? defaultMinAge(models[model]!.loadTime),
    );
  }

  /** A registered model is loaded where there is room, as if it was last used long ago. */
  register(model: string, now: number): { instance: number | null } {
    const instance = this.#cluster.roomFor(model);
    if (instance !== undefined) this.#cluster.insert(model, instance, now, now - HOUR);
    return { instance: instance ?? null };
  }

  invoke(model: string, now: number): Record<string, unknown> {
    const copies = this.#cluster.copiesOf(model);
    const serving = copies.reduce<Copy | undefined>(
      (least, copy) => (least === undefined || copy.order < least.order ? copy : least),
      undefined,
    );
    return serving === undefined ? this.#miss(model, now) : this.#hit(serving, copies.length === 1, now);
  }

  /** Adds a copy of what was busy since the last tick. */
  tick(now: number): { added: unknown[]; copies: Record<string, number> } {
    const added = this.#names.flatMap((model) => {
      if (!this.#cluster.copiesOf(model).some((copy) => this.#isHot(copy))) return [];
      const placed = this.#cluster.place(model, now, now);
      return placed === undefined ? [] : [{ model, instance: placed.copy.instance, evicted: placed.evicted }];
    });
    this.#cluster.clearUses();
    const copies = this.#names.map((model) => [model, this.#cluster.copiesOf(model).length]);
    return { added, copies: Object.fromEntries(copies) };
  }

  #miss(model: string, now: number): Record<string, unknown> {
    const placed = this.#cluster.place(model, now, now);
    if (placed === undefined) return { hit: false, instance: null, reason: 'no-capacity' };
    placed.copy.uses = 1;
    return { hit: false, instance: placed.copy.instance, evicted: placed.evicted };
  }

  /** A lone copy that is used again after a pause, neither short nor long, is likely to be needed: it gets a sister. */
  #hit(copy: Copy, alone: boolean, now: number): Record<string, unknown> {
    const pause = now - copy.lastUsed;
    this.#cluster.use(copy, now);
    const answer = { hit: true, instance: copy.instance };
    const { secondCopyMinAge, secondCopyMaxAge } = this.options;
    if (!alone || pause < secondCopyMinAge || pause > secondCopyMaxAge) return answer;
    const placed = this.#cluster.place(copy.model, now, now);
    return placed === undefined ? answer : { ...answer, added: placed.copy.instance, evicted: placed.evicted };
  }

  #isHot(copy: Copy): boolean {
    return copy.uses * 60e9 > this.options.scaleUpRpm * this.options.rateInterval;
  }
}

function defaultMinAge(loadTime: number): number {
  return 10 * Math.max(3e9, Math.floor(loadTime / 3));
}
