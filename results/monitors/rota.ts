import { nowNs } from '../clock.js';

/** Something that is read again and again. */
export interface Reader {
  /** Read in every round, as far as the budget allows, before those that take turns. */
  readonly first: boolean;
  /** False: there is no use in reading it again. */
  read(): boolean;
}

/**
 * Reads everything in each round where that is cheap, and takes turns where it is not: a driver in a virtual machine can take half
 * a millisecond for one call, and a monitor of eight such calls ten times a second would cost 4 % of a core. What a round may
 * cost is a budget; one that overdraws it is made up for by the next rounds, so that the mean stays within it.
 */
export class Rota {
  readonly #first: Reader[];
  readonly #others: Reader[];
  #credit = 0;
  #next = 0;

  constructor(
    readers: readonly Reader[],
    private readonly budgetNs: number,
    private readonly clock: () => number = nowNs,
  ) {
    this.#first = readers.filter(({ first }) => first);
    this.#others = readers.filter(({ first }) => !first);
  }

  round(): void {
    this.#credit = Math.min(this.budgetNs, this.#credit + this.budgetNs);
    for (const reader of [...this.#first]) if (!this.#read(reader)) drop(this.#first, reader);
    for (let left = this.#others.length; left > 0 && this.#credit > 0; left--) {
      const at = this.#next % this.#others.length;
      const reader = this.#others[at]!;
      this.#next = at + 1;
      if (this.#read(reader)) continue;
      drop(this.#others, reader);
      this.#next = at;
    }
  }

  /** False: it is to be dropped. */
  #read(reader: Reader): boolean {
    if (this.#credit <= 0) return true;
    const begin = this.clock();
    const goesOn = reader.read();
    this.#credit -= this.clock() - begin;
    return goesOn;
  }
}

function drop(readers: Reader[], reader: Reader): void {
  readers.splice(readers.indexOf(reader), 1);
}
