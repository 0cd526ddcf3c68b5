import { ProtocolError } from './errors.js';

/** Bytes before a message: whether it is compressed, and its length. Source: gRPC over HTTP2, "Length-Prefixed-Message". */
const PREFIX_BYTES = 5;

export interface MessageLimits {
  readonly maxBytes: number;
  /** Only so many bytes of the message's beginning are kept; default all. */
  readonly keptBytes?: number;
}

/**
 * The one message of a unary call, out of a stream's bytes as they come. A message that comes in one piece is a view of it;
 * in several, each is copied once, into its place.
 */
export class MessageReader {
  /** The message, or its beginning; good once `complete`. */
  message: Buffer = EMPTY;
  private prefix: Buffer = EMPTY;
  /** Bytes of the message that are still to come; −1: its length has not come. */
  private left = -1;
  private kept = 0;

  constructor(private readonly limits: MessageLimits) {}

  get complete(): boolean {
    return this.left === 0;
  }

  /** Bytes of this message only. Throws ProtocolError as `take` does, and INTERNAL for bytes behind it. */
  feed(chunk: Buffer): void {
    const taken = this.take(chunk);
    if (taken < chunk.length)
      throw new ProtocolError('INTERNAL', `${chunk.length - taken} bytes behind the message; expected one message`);
  }

  /**
   * Takes what belongs to this message; returns how many bytes that are. Throws ProtocolError: RESOURCE_EXHAUSTED as soon as a
   * message is announced that is longer than allowed, UNIMPLEMENTED for a compressed one.
   */
  take(chunk: Buffer): number {
    let from = 0;
    if (this.left < 0) {
      from = this.begin(chunk);
      if (this.left < 0) return chunk.length;
    }
    const to = Math.min(chunk.length, from + this.left);
    if (to > from) {
      this.keep(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
      this.left -= to - from;
    }
    return to;
  }

  /** Reads the prefix; returns where the message begins. */
  private begin(chunk: Buffer): number {
    const before = this.prefix.length;
    const whole = before === 0 ? chunk : Buffer.concat([this.prefix, chunk]);
    if (whole.length < PREFIX_BYTES) {
      this.prefix = Buffer.from(whole);
      return 0;
    }
    if (whole[0] !== 0)
      throw new ProtocolError('UNIMPLEMENTED', 'the message is compressed; expected none: send it uncompressed');
    const length = whole.readUInt32BE(1);
    const { maxBytes } = this.limits;
    if (length > maxBytes)
      throw new ProtocolError(
        'RESOURCE_EXHAUSTED',
        `the message is ${length} bytes; expected at most ${maxBytes} bytes`,
      );
    this.left = length;
    return PREFIX_BYTES - before;
  }

  private keep(bytes: Buffer): void {
    const { keptBytes = Number.POSITIVE_INFINITY } = this.limits;
    if (this.kept === 0 && (bytes.length === this.left || bytes.length >= keptBytes)) this.message = bytes;
    else if (this.kept < keptBytes) {
      if (this.kept === 0) this.message = Buffer.allocUnsafeSlow(Math.min(this.left, keptBytes));
      bytes.copy(this.message, this.kept);
    }
    this.kept += bytes.length;
  }
}

const EMPTY = Buffer.alloc(0);
