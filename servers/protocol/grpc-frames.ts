import { ProtocolError } from './errors.js';

/** Bytes before a message: whether it is compressed, and its length. Source: gRPC over HTTP2, "Length-Prefixed-Message". */
const PREFIX_BYTES = 5;

const LONG_BYTES = 32 * 1024;

/** Beyond this, memory grows with what has really come. */
const TRUSTED_BYTES = 8 * 1024 ** 2;

export interface MessageLimits {
  readonly maxBytes: number;
  /** Only so many bytes of the message's beginning are kept; default all. */
  readonly keptBytes?: number;
  /** Where a long message's memory comes from; whoever gives it back knows that nobody reads the message any more. */
  readonly memory?: MessageMemory;
}

export interface MessageMemory {
  take(length: number): Buffer;
  giveBack(bytes: Buffer): void;
}

/** The one message of a unary call, out of a stream's bytes as they come. Each byte is copied once, into its place. */
export class MessageReader {
  /** The message, or its beginning; good once `complete`. */
  message: Buffer = EMPTY;
  /** What has come of the prefix, and its value so far. */
  private prefixBytes = 0;
  private length = 0;
  /** Bytes of the message that are still to come; −1: its length has not come. */
  private left = -1;
  private kept = 0;

  constructor(private readonly limits: MessageLimits) {}

  get complete(): boolean {
    return this.left === 0;
  }

  /** Bytes of this message only. Throws ProtocolError as `take` does, and INTERNAL for bytes behind it. */
  feed(bytes: Buffer, from = 0, to = bytes.length): void {
    const behind = to - this.take(bytes, from, to);
    if (behind > 0) throw new ProtocolError('INTERNAL', `${behind} bytes behind the message; expected one message`);
  }

  /**
   * Takes what belongs to this message; returns where it ends. Throws ProtocolError: RESOURCE_EXHAUSTED as soon as a message
   * is announced that is longer than allowed, UNIMPLEMENTED for a compressed one.
   */
  take(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (this.left < 0) {
      if (at === to) return to;
      this.prefix(bytes[at++]!);
    }
    const end = Math.min(to, at + this.left);
    if (end > at) this.keep(bytes, at, end);
    this.left -= end - at;
    return end;
  }

  /** Where the next of up to `bytes` of the message belong: what is read to there need not be copied. */
  space(bytes: number): Buffer | undefined {
    const free = Math.min(bytes, this.left, this.message.length - this.kept);
    return free > 0 ? this.message.subarray(this.kept, this.kept + free) : undefined;
  }

  private prefix(byte: number): void {
    if (this.prefixBytes === 0 && byte !== 0)
      throw new ProtocolError('UNIMPLEMENTED', 'the message is compressed; expected none: send it uncompressed');
    this.length = this.length * 256 + byte;
    this.prefixBytes++;
    if (this.prefixBytes < PREFIX_BYTES) return;
    const { maxBytes } = this.limits;
    if (this.length > maxBytes)
      throw new ProtocolError(
        'RESOURCE_EXHAUSTED',
        `the message is ${this.length} bytes; expected at most ${maxBytes} bytes`,
      );
    this.left = this.length;
  }

  private keep(bytes: Buffer, from: number, to: number): void {
    const wanted = Math.min(this.length, this.limits.keptBytes ?? this.length);
    const end = Math.min(to, from + wanted - this.kept);
    if (end <= from) return;
    const needed = this.kept + end - from;
    if (needed > this.message.length)
      this.grow(Math.min(wanted, Math.max(TRUSTED_BYTES, 2 * this.message.length, needed)));
    const { message } = this;
    const inPlace = bytes.buffer === message.buffer && bytes.byteOffset + from === message.byteOffset + this.kept;
    if (!inPlace) bytes.copy(message, this.kept, from, end);
    this.kept = needed;
  }

  private grow(size: number): void {
    const { memory } = this.limits;
    const before = this.message;
    this.message = memory && size >= LONG_BYTES ? memory.take(size) : Buffer.allocUnsafe(size);
    before.copy(this.message);
    if (before.length > 0) memory?.giveBack(before);
  }
}

const EMPTY = Buffer.alloc(0);
