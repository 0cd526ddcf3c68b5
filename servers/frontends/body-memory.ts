/** Sizes are rounded up to this, so that bodies of nearly the same length share memory. */
const GRAIN = 64 * 1024;
const MAX_KEPT = 64 * 1024 ** 2;

/**
 * Memory for large bodies that is used again. Fresh memory costs more than the bytes that come into it: the kernel clears its
 * pages, and the collector runs over the whole heap once for every 64 MB of it.
 */
export class BodyMemory {
  private readonly free = new Map<number, ArrayBuffer[]>();
  private kept = 0;

  constructor(private readonly maxKept = MAX_KEPT) {}

  /** Not cleared. */
  take(length: number): Buffer {
    const size = Math.ceil(length / GRAIN) * GRAIN;
    const used = this.free.get(size)?.pop();
    if (used !== undefined) this.kept -= size;
    return Buffer.from(used ?? Buffer.allocUnsafeSlow(size).buffer, 0, length);
  }

  /** What `take` answered and nobody will read again; anything else is left alone. */
  giveBack({ buffer }: Buffer): void {
    const size = buffer.byteLength;
    if (size === 0 || size % GRAIN !== 0 || this.kept + size > this.maxKept) return;
    const list = this.free.get(size);
    if (list === undefined) this.free.set(size, [buffer as ArrayBuffer]);
    else list.push(buffer as ArrayBuffer);
    this.kept += size;
  }
}
