/** Names of resources and how many of each. */
export type Amounts = Readonly<Record<string, number>>;

/** The instance that a model would take next, while it has a request for one. */
export interface Head {
  /** Executions × priority: the least goes first. */
  readonly score: number;
  readonly needs: Amounts;
}

/**
 * Resources and turns of all models behind it; pure. Of each resource there is as much as the model states that states most.
 * Among the instances that are next in their models the one with the least score goes first, of equals that of the model
 * whose name is first; while it lacks a resource nothing is dispatched. Source: Triton's rate limiter, which is its server's:
 * one line of staged instances, of which only the first is tried.
 */
export class Limiter {
  readonly #places = new Set<LimiterPlace>();
  readonly #taken = new Map<string, number>();

  /** A model's place. */
  join(name: string): LimiterPlace {
    const place = new LimiterPlace(name, this);
    this.#places.add(place);
    return place;
  }

  leave(place: LimiterPlace): void {
    this.#places.delete(place);
    this.changed(place);
  }

  isFirst(place: LimiterPlace, { score, needs }: Head): boolean {
    for (const other of this.#places) {
      const head = other === place ? undefined : other.head();
      if (head && (head.score < score || (head.score === score && other.name < place.name))) return false;
    }
    return Object.entries(needs).every(([name, n]) => n <= this.#free(name));
  }

  move(needs: Amounts, sign: 1 | -1): void {
    for (const [name, n] of Object.entries(needs)) this.#taken.set(name, (this.#taken.get(name) ?? 0) + sign * n);
  }

  /** It may be another's turn now. */
  changed(by: LimiterPlace): void {
    for (const place of this.#places) if (place !== by) place.wake();
  }

  #free(name: string): number {
    let most = 0;
    for (const { stated } of this.#places) most = Math.max(most, stated[name] ?? 0);
    return most - (this.#taken.get(name) ?? 0);
  }
}

/** One model at a limiter. Its strategy sets `head` and `stated`, its executor `wake`. */
export class LimiterPlace {
  head: () => Head | undefined = () => undefined;
  stated: Amounts = {};
  /** Polls the strategy soon. */
  wake: () => void = () => {};

  constructor(
    readonly name: string,
    private readonly limiter: Limiter,
  ) {}

  isFirst(head: Head): boolean {
    return this.limiter.isFirst(this, head);
  }

  take(needs: Amounts): void {
    this.limiter.move(needs, 1);
    this.limiter.changed(this);
  }

  release(needs: Amounts): void {
    this.limiter.move(needs, -1);
    this.limiter.changed(this);
  }

  /** A request of its model went away, which may have been next. */
  dropped(): void {
    this.limiter.changed(this);
  }

  leave(): void {
    this.limiter.leave(this);
  }
}
