/** Sizes are rounded up to whole steps, so that messages of nearly the same length share memory. */
const STEP_BYTES = 64 * 1024;

/**
 * Memory for long messages, used again. Fresh memory for each of a thousand messages a second of some 100 kB keeps the
 * collector and the kernel's page tables busy for longer than the messages take. What is given back must have no reader left.
 */
export class BufferPool {
  private readonly free = new Map<number, ArrayBuffer[]>();
  private freeBytes = 0;

  /** `keptBytes`: at most so much lies ready. */
  constructor(private readonly keptBytes: number) {}

  /** Not zeroed. Short ones are not pooled. */
  take(bytes: number): Buffer {
    if (bytes < STEP_BYTES) return Buffer.allocUnsafe(bytes);
    const size = stepsOf(bytes);
    const memory = this.free.get(size)?.pop();
    if (memory === undefined) return Buffer.allocUnsafeSlow(size).subarray(0, bytes);
    this.freeBytes -= size;
    return Buffer.from(memory, 0, bytes);
  }

  /** `buffer` came from `take`. */
  give({ buffer, length }: Buffer): void {
    const { byteLength } = buffer;
    if (length < STEP_BYTES || byteLength !== stepsOf(length) || this.freeBytes + byteLength > this.keptBytes) return;
    const shelf = this.free.get(byteLength);
    if (shelf === undefined) this.free.set(byteLength, [buffer as ArrayBuffer]);
    else shelf.push(buffer as ArrayBuffer);
    this.freeBytes += byteLength;
  }
}

function stepsOf(bytes: number): number {
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
}
