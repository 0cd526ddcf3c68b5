import { Fifo } from '../../strategies/support/fifo.js';
import { positive } from '../../strategies/support/options.js';
import type { LlmRequest, Sequence } from '../contract.js';

/** The options of every scheduler: tokens a block, blocks of the KV cache, sequences that run at once. */
export const poolShape = {
  blockSize: positive().default(16),
  numBlocks: positive().default(1e9),
  maxNumSeqs: positive().default(128),
};

export interface PoolOptions {
  readonly blockSize: number;
  readonly numBlocks: number;
  readonly maxNumSeqs: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Sequences that wait and that run, and the blocks of the KV cache that they hold. */
export class SequencePool {
  readonly #queue = new Fifo<Sequence>();
  readonly #running: Sequence[] = [];
  #free: number;

  /** `reserve`: blocks that a sequence must get to be admitted. */
  constructor(
    readonly options: PoolOptions,
    readonly reserve: (sequence: Sequence, pool: SequencePool) => number,
  ) {
    this.#free = options.numBlocks;
  }

  /** First come, first served; who is preempted comes first. */
  get queue(): Pick<Fifo<Sequence>, 'length' | typeof Symbol.iterator> {
    return this.#queue;
  }

  /** In order of admission. */
  get running(): readonly Sequence[] {
    return this.#running;
  }

  get freeBlocks(): number {
    return this.#free;
  }

  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.options.blockSize);
  }

  enqueue(request: LlmRequest): void {
    this.#queue.push({ request, generated: 0, toPrefill: request.promptTokens, blocks: 0 });
  }

  /** The head of the queue, where a place and its reservation are free. */
  candidate(): Sequence | undefined {
    if (this.#running.length >= this.options.maxNumSeqs) return undefined;
    const head = this.#queue.peek();
    return head !== undefined && this.reserve(head, this) <= this.#free ? head : undefined;
  }

  /** The candidate runs from now on. */
  admit(candidate: Sequence): void {
    this.#queue.shift();
    this.#running.push(candidate);
    this.#hold(candidate, this.reserve(candidate, this));
  }

  /**
   * Give every sequence that decodes the block that its next token needs. Where none is free the last to be admitted is
   * preempted, be it the very one that needs it. Returns the preempted, in that order.
   */
  grow(): Sequence[] {
    const preempted: Sequence[] = [];
    for (let i = 0; i < this.#running.length; i++) {
      const sequence = this.#running[i]!;
      if (sequence.toPrefill > 0) continue;
      while (i < this.#running.length && this.blocksFor(lengthOf(sequence)) > sequence.blocks) {
        if (this.#free > 0) this.#hold(sequence, sequence.blocks + 1);
        else preempted.push(this.#preemptLast());
      }
    }
    return preempted;
  }

  /** So many of its tokens were computed; true where that gave an output token. */
  prefilled(sequence: Sequence, tokens: number): boolean {
    (sequence as Mutable<Sequence>).toPrefill -= tokens;
    return sequence.toPrefill === 0 && this.decoded(sequence);
  }

  /** It got its next output token; false where it had them all. */
  decoded(sequence: Sequence): boolean {
    if (isComplete(sequence)) return false;
    (sequence as Mutable<Sequence>).generated++;
    return true;
  }

  /** It is answered. */
  end(sequence: Sequence): void {
    this.#running.splice(this.#running.indexOf(sequence), 1);
    this.#hold(sequence, 0);
  }

  /** Its blocks are lost: what they held will be computed again. */
  #preemptLast(): Sequence {
    const last = this.#running.pop()!;
    this.#hold(last, 0);
    (last as Mutable<Sequence>).toPrefill = lengthOf(last);
    this.#queue.unshift(last);
    return last;
  }

  #hold(sequence: Sequence, blocks: number): void {
    this.#free -= blocks - sequence.blocks;
    (sequence as Mutable<Sequence>).blocks = blocks;
  }
}

/** Tokens of prompt and output so far. */
export function lengthOf({ request, generated }: Sequence): number {
  return request.promptTokens + generated;
}

/** The most tokens that it will ever have in the cache: its last token is never computed on. */
export function longest({ promptTokens, outputTokens }: LlmRequest): number {
  return promptTokens + outputTokens - 1;
}

export function isComplete({ request, generated }: Sequence): boolean {
  return generated >= request.outputTokens;
}
