import type { StrategyRequest } from '../contract.js';
import { Fifo } from './fifo.js';

/**
 * One queue for each client, clients in the order of their first appearance; they take turns. Clients without a request cost
 * nothing when the next turn is looked for.
 */
export class ClientRound {
  readonly #queues: Fifo<StrategyRequest>[] = [];
  readonly #indexOf = new Map<string | undefined, number>();
  /** Indices of the clients that have a request, ascending. */
  readonly #active: number[] = [];
  #pointer = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(request: StrategyRequest): void {
    const index = this.#indexOf.get(request.client) ?? this.#register(request.client);
    const queue = this.#queues[index]!;
    if (queue.length === 0) this.#active.splice(this.#placeOf(index), 0, index);
    queue.push(request);
    this.#length++;
  }

  /** The first request of the first client, from the pointer on, that has one; the pointer moves behind that client. */
  shift(): StrategyRequest | undefined {
    if (this.#length === 0) return undefined;
    const index = this.#active[this.#placeOf(this.#pointer)] ?? this.#active[0]!;
    this.#pointer = index + 1 === this.#queues.length ? 0 : index + 1;
    const request = this.#queues[index]!.shift();
    this.#removed(index);
    return request;
  }

  /** Drop this very object; false where it is not queued. */
  remove(request: StrategyRequest): boolean {
    const index = this.#indexOf.get(request.client);
    if (index === undefined || !this.#queues[index]!.remove(request)) return false;
    this.#removed(index);
    return true;
  }

  #register(client: string | undefined): number {
    this.#indexOf.set(client, this.#queues.length);
    return this.#queues.push(new Fifo()) - 1;
  }

  #removed(index: number): void {
    this.#length--;
    if (this.#queues[index]!.length === 0) this.#active.splice(this.#placeOf(index), 1);
  }

  /** Where the index is, or would be, among the active ones. */
  #placeOf(index: number): number {
    let low = 0;
    let high = this.#active.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#active[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
