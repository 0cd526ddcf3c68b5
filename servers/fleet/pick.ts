import { type RandomSource, uniformInt } from '../../results/stats/index.js';
import { LeastKeys } from './least.js';

/** How a gateway chooses among the replicas that take requests; it knows how many each has in hand. */
export interface Picker {
  readonly name: PickerName;
  /** A replica now takes requests, or no more. */
  open(replica: number): void;
  close(replica: number): void;
  /** One of the open replicas, −1 where there is none. */
  pick(): number;
  /** The replica has one request more or less in hand. */
  changed(replica: number, inHand: number): void;
}

export const PICKERS = {
  'round-robin': 'one after the other',
  random: 'any',
  'random-two': 'the less busy of two drawn at random (the second only with strictly fewer)',
  'least-conn': 'the one with the fewest requests in hand, the lowest number among equals',
} as const;

export type PickerName = keyof typeof PICKERS;

/** A picker over at most `capacity` replicas. All choose in O(1), least-conn in O(log n). Source: NGINX's upstream module. */
export function createPicker(name: PickerName, capacity: number, random: RandomSource): Picker {
  return name === 'least-conn' ? new LeastConnections(capacity) : new ListPicker(name, capacity, random);
}

class ListPicker implements Picker {
  /** Open replicas in no order, and where each stands. */
  readonly #open: Int32Array;
  readonly #places: Int32Array;
  readonly #inHand: Int32Array;
  #size = 0;
  #pointer = 0;

  constructor(
    readonly name: PickerName,
    capacity: number,
    private readonly random: RandomSource,
  ) {
    this.#open = new Int32Array(capacity);
    this.#places = new Int32Array(capacity).fill(-1);
    this.#inHand = new Int32Array(capacity);
  }

  open(replica: number): void {
    this.#places[replica] = this.#size;
    this.#open[this.#size++] = replica;
  }

  close(replica: number): void {
    const place = this.#places[replica]!;
    const last = this.#open[--this.#size]!;
    this.#open[place] = last;
    this.#places[last] = place;
    this.#places[replica] = -1;
  }

  pick(): number {
    if (this.#size === 0) return -1;
    if (this.name === 'round-robin') {
      if (this.#pointer >= this.#size) this.#pointer = 0;
      return this.#open[this.#pointer++]!;
    }
    const first = uniformInt(this.random, this.#size);
    if (this.name === 'random' || this.#size === 1) return this.#open[first]!;
    const other = uniformInt(this.random, this.#size - 1);
    const second = other >= first ? other + 1 : other;
    const [a, b] = [this.#open[first]!, this.#open[second]!];
    return this.#inHand[b]! < this.#inHand[a]! ? b : a;
  }

  changed(replica: number, inHand: number): void {
    this.#inHand[replica] = inHand;
  }
}

class LeastConnections implements Picker {
  readonly name = 'least-conn';
  readonly #least: LeastKeys;
  readonly #inHand: Int32Array;
  readonly #open: Uint8Array;

  constructor(capacity: number) {
    this.#least = new LeastKeys(capacity);
    this.#inHand = new Int32Array(capacity);
    this.#open = new Uint8Array(capacity);
  }

  open(replica: number): void {
    this.#open[replica] = 1;
    this.#least.set(replica, this.#inHand[replica]!);
  }

  close(replica: number): void {
    this.#open[replica] = 0;
    this.#least.set(replica, Number.POSITIVE_INFINITY);
  }

  pick(): number {
    return this.#least.leastId();
  }

  changed(replica: number, inHand: number): void {
    this.#inHand[replica] = inHand;
    if (this.#open[replica] === 1) this.#least.set(replica, inHand);
  }
}
