import { FRAME, HEAD_BYTES } from './wire.js';

const SCRATCH_BYTES = 64 * 1024;
/** Less is copied beside its neighbours: a chunk of its own costs more. */
const COPY_BELOW = 8 * 1024;

/**
 * Gathers what a connection has to send. Small things stand side by side in one piece of memory, large ones are handed on as
 * they are; `take` gives all of it, in order, for one write.
 */
export class FrameWriter {
  /** That have been written and not yet taken. */
  bytes = 0;
  private chunks: Uint8Array[] = [];
  private scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** What stands between them has not been put among the chunks. */
  private from = 0;
  private at = 0;

  /** A frame's head; its payload must follow. */
  head(length: number, type: number, flags: number, stream: number): void {
    this.reserve(HEAD_BYTES);
    const { scratch } = this;
    let { at } = this;
    scratch[at++] = length >>> 16;
    scratch[at++] = length >>> 8;
    scratch[at++] = length;
    scratch[at++] = type;
    scratch[at++] = flags;
    this.at = at;
    this.uint32(stream);
    this.bytes += HEAD_BYTES - 4;
  }

  uint32(value: number): void {
    this.reserve(4);
    const { scratch } = this;
    let { at } = this;
    scratch[at++] = value >>> 24;
    scratch[at++] = value >>> 16;
    scratch[at++] = value >>> 8;
    scratch[at++] = value;
    this.at = at;
    this.bytes += 4;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.scratch[this.at++] = value >>> 8;
    this.scratch[this.at++] = value;
    this.bytes += 2;
  }

  /** `chunk` from `from` to `to`; must not change before it has been sent where it is long. */
  put(chunk: Uint8Array, from = 0, to = chunk.length): void {
    const length = to - from;
    this.bytes += length;
    if (length < COPY_BELOW) this.copy(chunk, from, to);
    else {
      this.cut();
      this.chunks.push(length === chunk.length ? chunk : chunk.subarray(from, to));
    }
  }

  windowUpdate(stream: number, increment: number): void {
    this.head(4, FRAME.windowUpdate, 0, stream);
    this.uint32(increment);
  }

  reset(stream: number, code: number): void {
    this.head(4, FRAME.rstStream, 0, stream);
    this.uint32(code);
  }

  /** All that is to be sent, in order. */
  take(): readonly Uint8Array[] {
    this.cut();
    const { chunks } = this;
    this.chunks = [];
    this.bytes = 0;
    return chunks;
  }

  /** All that has been taken was sent, nothing came since: its memory can be used again. */
  recycle(): void {
    this.from = 0;
    this.at = 0;
  }

  private copy(chunk: Uint8Array, from: number, to: number): void {
    const length = to - from;
    this.reserve(length);
    const { scratch, at } = this;
    if (length < SHORT) for (let i = 0; i < length; i++) scratch[at + i] = chunk[from + i]!;
    else scratch.set(length === chunk.length ? chunk : chunk.subarray(from, to), at);
    this.at = at + length;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= SCRATCH_BYTES) return;
    this.cut();
    this.scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.recycle();
  }

  private cut(): void {
    if (this.at > this.from) this.chunks.push(this.scratch.subarray(this.from, this.at));
    this.from = this.at;
  }
}

/** Shorter runs are copied faster by a loop than by a call. */
const SHORT = 64;
