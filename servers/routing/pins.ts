import type { Pool, Replica } from './pool.js';

/** The replicas that a client's connection keeps to, one a pool. */
export class Pins<Upstream> {
  readonly #byPool = new Map<Pool<Upstream>, Replica<Upstream>>();

  constructor(private readonly now: () => number) {}

  get(pool: Pool<Upstream>): Replica<Upstream> | undefined {
    return this.#byPool.get(pool);
  }

  set(pool: Pool<Upstream>, replica: Replica<Upstream>): void {
    const before = this.#byPool.get(pool);
    if (before) pool.release(before, true, this.now());
    this.#byPool.set(pool, replica);
  }

  /** It has failed. Requests that fail together tell once. */
  unset(pool: Pool<Upstream>, replica: Replica<Upstream>, now: number): void {
    if (this.#byPool.get(pool) !== replica) return;
    this.#byPool.delete(pool);
    pool.release(replica, false, now);
  }

  /** The connection is closed. */
  close(): void {
    for (const [pool, replica] of this.#byPool) pool.release(replica, true, this.now());
    this.#byPool.clear();
  }
}
