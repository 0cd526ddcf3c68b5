/** A model in an instance's memory. */
export interface Copy {
  readonly model: string;
  readonly instance: number;
  readonly loadedAt: number;
  lastUsed: number;
  /** Grows over the whole cluster with every insert and use. */
  order: number;
  /** Since the last tick. */
  uses: number;
}

export interface Placed {
  readonly copy: Copy;
  /** Models that had to go, in that order. */
  readonly evicted: readonly string[];
}

/** Instances with room for models; a model has at most one copy on each. Source: KServe ModelMesh. */
export class ModelCluster {
  readonly #copies = new Set<Copy>();
  #order = 0;

  /** `minAgeOf`: ns after loading in which a copy of that model is not evicted. */
  constructor(
    readonly capacities: readonly number[],
    readonly sizeOf: (model: string) => number,
    readonly minAgeOf: (model: string) => number,
  ) {}

  copiesOf(model: string): Copy[] {
    return this.#where((copy) => copy.model === model);
  }

  use(copy: Copy, now: number): void {
    copy.lastUsed = now;
    copy.order = this.#order++;
    copy.uses++;
  }

  insert(model: string, instance: number, now: number, lastUsed: number): Copy {
    const copy = { model, instance, loadedAt: now, lastUsed, order: this.#order++, uses: 0 };
    this.#copies.add(copy);
    return copy;
  }

  /** Load one more copy, evicting where that makes room; undefined, and nothing changes, where nothing does. */
  place(model: string, now: number, lastUsed: number): Placed | undefined {
    const free = this.roomFor(model);
    if (free !== undefined) return { copy: this.insert(model, free, now, lastUsed), evicted: [] };
    for (const instance of this.#stalestFirst(this.#candidates(model))) {
      const victims = this.#victims(instance, this.sizeOf(model), now);
      if (victims === undefined) continue;
      for (const victim of victims) this.#copies.delete(victim);
      return { copy: this.insert(model, instance, now, lastUsed), evicted: victims.map((victim) => victim.model) };
    }
    return undefined;
  }

  /** Of the instances with enough free space, the one with most (lowest id on a tie). */
  roomFor(model: string): number | undefined {
    const enough = this.#candidates(model).filter((instance) => this.#free(instance) >= this.sizeOf(model));
    return enough.reduce<number | undefined>(
      (best, instance) => (best === undefined || this.#free(instance) > this.#free(best) ? instance : best),
      undefined,
    );
  }

  clearUses(): void {
    for (const copy of this.#copies) copy.uses = 0;
  }

  /** Instances that lack the model and could hold it if they were empty. */
  #candidates(model: string): number[] {
    const holders = this.copiesOf(model).map((copy) => copy.instance);
    return [...this.capacities.keys()].filter(
      (instance) => !holders.includes(instance) && this.capacities[instance]! >= this.sizeOf(model),
    );
  }

  #free(instance: number): number {
    return this.#on(instance).reduce((free, copy) => free - this.sizeOf(copy.model), this.capacities[instance]!);
  }

  /** By their least recently used copy. */
  #stalestFirst(instances: readonly number[]): number[] {
    return instances.toSorted((a, b) => byRecency(this.#on(a)[0]!, this.#on(b)[0]!));
  }

  /** Copies to evict, least recent first, until so much is free; undefined where too many are too young. */
  #victims(instance: number, size: number, now: number): Copy[] | undefined {
    const victims: Copy[] = [];
    let free = this.#free(instance);
    for (const copy of this.#on(instance)) {
      if (free >= size) break;
      if (now - copy.loadedAt < this.minAgeOf(copy.model)) continue;
      victims.push(copy);
      free += this.sizeOf(copy.model);
    }
    return free >= size ? victims : undefined;
  }

  /** What an instance holds, least recent first. */
  #on(instance: number): Copy[] {
    return this.#where((copy) => copy.instance === instance).sort(byRecency);
  }

  #where(fits: (copy: Copy) => boolean): Copy[] {
    return [...this.#copies].filter(fits);
  }
}

function byRecency(a: Copy, b: Copy): number {
  return a.lastUsed - b.lastUsed || a.order - b.order;
}
