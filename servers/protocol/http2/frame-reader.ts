import { FRAME, HEAD_BYTES } from './wire.js';

/** Who hears of frames. Bytes are views of what was fed, good during the call only; any method may throw. */
export interface FrameSink {
  /** A frame's head. Its payload follows, unless this returns false: then it is passed over. */
  head(type: number, flags: number, stream: number, length: number): boolean;
  /** A whole payload of any frame but DATA. */
  payload(bytes: Buffer, from: number, to: number): void;
  /** As much of a DATA frame's payload as has come, at least once; `left` bytes of it are still to come. */
  data(bytes: Buffer, from: number, to: number, left: number): void;
}

/** Takes frames out of a connection's bytes as they come. DATA is handed on as it comes, all else whole. Source: RFC 9113, 4.1. */
export class FrameReader {
  /** What came of a head, or of a payload that is wanted whole. */
  private held = Buffer.allocUnsafeSlow(256);
  private heldBytes = 0;
  private expect: 'head' | 'payload' | 'data' | 'nothing' = 'head';
  /** Bytes of the payload that are still to come. */
  private left = 0;

  constructor(private readonly sink: FrameSink) {}

  /** Bytes of a DATA frame's payload that are still to come. */
  get dataLeft(): number {
    return this.expect === 'data' ? this.left : 0;
  }

  feed(input: Buffer): void {
    let at = 0;
    while (at < input.length) {
      if (this.expect === 'head') at = this.readHead(input, at);
      else if (this.expect === 'payload') at = this.readPayload(input, at);
      else at = this.readData(input, at);
    }
  }

  private readHead(input: Buffer, at: number): number {
    if (this.heldBytes === 0 && input.length - at >= HEAD_BYTES) {
      this.begin(input, at);
      return at + HEAD_BYTES;
    }
    const end = this.hold(input, at, HEAD_BYTES - this.heldBytes);
    if (this.heldBytes === HEAD_BYTES) {
      this.heldBytes = 0;
      this.begin(this.held, 0);
    }
    return end;
  }

  private begin(bytes: Buffer, at: number): void {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const type = bytes[at + 3]!;
    const stream = ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
    const wanted = this.sink.head(type, bytes[at + 4]!, stream, length);
    this.left = length;
    if (length > 0) this.expect = !wanted ? 'nothing' : type === FRAME.data ? 'data' : 'payload';
    else if (wanted && type === FRAME.data) this.sink.data(EMPTY, 0, 0, 0);
    else if (wanted) this.sink.payload(EMPTY, 0, 0);
  }

  private readPayload(input: Buffer, at: number): number {
    if (this.heldBytes === 0 && input.length - at >= this.left) {
      const end = at + this.left;
      this.expect = 'head';
      this.sink.payload(input, at, end);
      return end;
    }
    const end = this.hold(input, at, this.left);
    this.left -= end - at;
    if (this.left === 0) {
      const { heldBytes } = this;
      this.heldBytes = 0;
      this.expect = 'head';
      this.sink.payload(this.held, 0, heldBytes);
    }
    return end;
  }

  private readData(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.left);
    this.left -= end - at;
    const wanted = this.expect === 'data';
    if (this.left === 0) this.expect = 'head';
    if (wanted) this.sink.data(input, at, end, this.left);
    return end;
  }

  /** Keeps up to `wanted` bytes; returns where they end. */
  private hold(input: Buffer, at: number, wanted: number): number {
    const end = Math.min(input.length, at + wanted);
    const needed = this.heldBytes + end - at;
    if (needed > this.held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.held.length));
      this.held.copy(larger, 0, 0, this.heldBytes);
      this.held = larger;
    }
    input.copy(this.held, this.heldBytes, at, end);
    this.heldBytes = needed;
    return end;
  }
}

const EMPTY = Buffer.alloc(0);
