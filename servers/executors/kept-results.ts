import type { Tensor } from '../protocol/index.js';

/**
 * Outputs by content key, for strategies that answer from a cache: they decide what is a hit, this keeps the bytes.
 * Least recently used go first once there are more than `limitBytes`.
 */
export class KeptResults {
  readonly #kept = new Map<string, readonly Tensor[]>();
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  put(key: string, outputs: readonly Tensor[]): void {
    this.#drop(key);
    // Copies: the views would keep whole batches alive.
    const own = outputs.map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
    this.#kept.set(key, own);
    this.#bytes += sizeOf(own);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#drop(oldest);
    }
  }

  get(key: string): readonly Tensor[] | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found;
  }

  #drop(key: string): void {
    const found = this.#kept.get(key);
    if (found === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= sizeOf(found);
  }
}

function sizeOf(outputs: readonly Tensor[]): number {
  return outputs.reduce((sum, { data }) => sum + data.length, 0);
}
