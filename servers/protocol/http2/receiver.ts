import { FrameReader, type FrameSink } from './frame-reader.js';
import type { Guard } from './guard.js';
import { type HeaderBlock, HpackDecoder } from './hpack-decoder.js';
import { ERROR, FLAG, FRAME, Http2Error, MAX_31, StreamError } from './wire.js';

/** Who hears what frames mean. Methods may throw Http2Error, or StreamError for the stream at hand. */
export interface FrameMeaning {
  headers(stream: number, block: HeaderBlock, end: boolean): void;
  /** False: the payload is to be passed over. `length` counts against the windows, padding included. */
  dataHead(stream: number, length: number, end: boolean): boolean;
  data(bytes: Buffer, from: number, to: number): void;
  dataEnd(): void;
  resetByPeer(stream: number, code: number): void;
  settings(bytes: Buffer, from: number, to: number): void;
  ping(bytes: Buffer, from: number, to: number): void;
  goaway(lastStream: number, code: number, text: string): void;
  /** `stream` 0 is the connection. */
  windowUpdate(stream: number, increment: number): void;
  /** One stream's fault. */
  streamError(stream: number, error: StreamError): void;
}

export interface ReceiverLimits {
  readonly maxFrameBytes: number;
  readonly maxHeaderBytes: number;
}

/** Reads frames, checks their form and puts header blocks together. Source: RFC 9113, 4 and 6. */
export class Receiver implements FrameSink {
  private readonly reader = new FrameReader(this);
  private readonly decoder: HpackDecoder;
  private type = 0;
  private flags = 0;
  private stream = 0;
  private begun = false;
  /** The stream whose header block is not complete; 0: none. */
  private open = 0;
  private openEnds = false;
  private pieces: Buffer[] = [];
  private piecesBytes = 0;
  /** Padding at the end of the DATA frame at hand; −1: its length has not come. */
  private padding = 0;

  constructor(
    private readonly meaning: FrameMeaning,
    private readonly guard: Guard,
    private readonly limits: ReceiverLimits,
  ) {
    this.decoder = new HpackDecoder(limits.maxHeaderBytes);
  }

  /** Bytes of content that come next, with nothing in between. */
  get contentLeft(): number {
    return this.padding === 0 ? this.reader.dataLeft : 0;
  }

  /** Throws Http2Error: the connection is broken. */
  feed(bytes: Buffer): void {
    this.reader.feed(bytes);
  }

  head(type: number, flags: number, stream: number, length: number): boolean {
    this.type = type;
    this.flags = flags;
    this.stream = stream;
    if (!this.begun && type !== FRAME.settings) throw protocol(`the first frame has type ${type}; expected SETTINGS`);
    this.begun = true;
    if (length > this.limits.maxFrameBytes)
      throw size(`a frame has ${length} bytes`, `at most ${this.limits.maxFrameBytes}`);
    if (this.open !== 0 && (type !== FRAME.continuation || stream !== this.open))
      throw protocol('a header block is interrupted by another frame');
    if (type === FRAME.data) return this.dataHead(length);
    const check = CHECKS[type];
    if (check === undefined) {
      this.guard.count();
      return false;
    }
    check(stream, length, flags);
    if (type === FRAME.headers || type === FRAME.continuation) this.announced(length);
    return true;
  }

  payload(bytes: Buffer, from: number, to: number): void {
    try {
      this.frame(bytes, from, to);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.meaning.streamError(this.stream, error);
    }
  }

  data(bytes: Buffer, from: number, to: number, left: number): void {
    let at = from;
    if (this.padding < 0) {
      if (at === to) return;
      this.padding = bytes[at++]!;
      if (this.padding > left + to - at) throw protocol('a DATA frame has more padding than bytes');
    }
    const end = Math.min(to, to + left - this.padding);
    try {
      if (end > at) this.meaning.data(bytes, at, end);
      if (left === 0) this.meaning.dataEnd();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.meaning.streamError(this.stream, error);
    }
  }

  private dataHead(length: number): boolean {
    if (this.stream === 0) throw protocol('DATA on stream 0');
    const padded = (this.flags & FLAG.padded) !== 0;
    if (padded && length === 0) throw size('a padded DATA frame has no bytes', '1 or more');
    const end = (this.flags & FLAG.endStream) !== 0;
    if (length === 0 && !end) this.guard.count();
    this.padding = padded ? -1 : 0;
    try {
      return this.meaning.dataHead(this.stream, length, end);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.meaning.streamError(this.stream, error);
      return false;
    }
  }

  private frame(bytes: Buffer, from: number, to: number): void {
    const { type, stream } = this;
    if (type === FRAME.headers) this.headers(bytes, from, to);
    else if (type === FRAME.continuation) this.piece(bytes, from, to);
    else if (type === FRAME.windowUpdate) this.windowUpdate(bytes.readUInt32BE(from) & MAX_31);
    else if (type === FRAME.goaway)
      this.meaning.goaway(
        bytes.readUInt32BE(from) & MAX_31,
        bytes.readUInt32BE(from + 4),
        bytes.toString('latin1', from + 8, to),
      );
    else {
      if (type !== FRAME.settings || (this.flags & FLAG.ack) === 0) this.guard.count();
      if (type === FRAME.rstStream) this.meaning.resetByPeer(stream, bytes.readUInt32BE(from));
      else if (type === FRAME.priority) notItself(stream, bytes.readUInt32BE(from));
      else if ((this.flags & FLAG.ack) !== 0) return;
      else if (type === FRAME.settings) this.meaning.settings(bytes, from, to);
      else if (type === FRAME.ping) this.meaning.ping(bytes, from, to);
    }
  }

  private windowUpdate(increment: number): void {
    if (increment > 0) this.meaning.windowUpdate(this.stream, increment);
    else if (this.stream === 0) throw protocol('the connection’s window grows by 0');
    else throw new StreamError(ERROR.PROTOCOL_ERROR, 'a stream’s window grows by 0');
  }

  private headers(bytes: Buffer, from: number, to: number): void {
    let at = from;
    let end = to;
    if (this.flags & FLAG.padded) end -= bytes[at++]!;
    const dependency = this.flags & FLAG.priority ? bytes.readUInt32BE(at) : undefined;
    if (dependency !== undefined) at += PRIORITY_BYTES;
    if (at > end) throw protocol('a HEADERS frame has more padding than bytes');
    this.openEnds = (this.flags & FLAG.endStream) !== 0;
    this.piece(bytes, at, end);
    if (dependency !== undefined) notItself(this.stream, dependency);
  }

  /** The next piece of a header block: mostly there is one only, which is read where it lies. */
  private piece(bytes: Buffer, from: number, to: number): void {
    if (this.flags & FLAG.endHeaders) {
      const { pieces } = this;
      this.open = 0;
      if (pieces.length === 0) this.block(bytes, from, to);
      else {
        this.pieces = [];
        this.piecesBytes = 0;
        const whole = Buffer.concat([...pieces, bytes.subarray(from, to)]);
        this.block(whole, 0, whole.length);
      }
      return;
    }
    if (from === to) this.guard.count();
    this.open = this.stream;
    this.pieces.push(Buffer.from(bytes.subarray(from, to)));
    this.piecesBytes += to - from;
  }

  private block(bytes: Buffer, from: number, to: number): void {
    const block = this.decoder.decode(bytes, from, to);
    this.meaning.headers(this.stream, block, this.openEnds);
  }

  /** A header block that is far beyond what is allowed is not even read. */
  private announced(length: number): void {
    const { maxHeaderBytes } = this.limits;
    if (this.piecesBytes + length > HEADER_SLACK * maxHeaderBytes + 1024 || this.pieces.length > MAX_PIECES)
      throw new Http2Error(
        ERROR.ENHANCE_YOUR_CALM,
        `a header block is longer than ${HEADER_SLACK} times ${maxHeaderBytes} bytes`,
      );
    if (this.type === FRAME.continuation && this.open === 0) throw protocol('CONTINUATION without HEADERS');
  }
}

const HEADER_SLACK = 4;
const MAX_PIECES = 64;
const PRIORITY_BYTES = 5;

type Check = (stream: number, length: number, flags: number) => void;

/** Of each type but DATA: what can be told from the head alone. */
const CHECKS: Readonly<Record<number, Check>> = {
  [FRAME.headers]: (stream, length, flags) => {
    onStream(stream, 'HEADERS');
    const least = (flags & FLAG.padded ? 1 : 0) + (flags & FLAG.priority ? PRIORITY_BYTES : 0);
    if (length < least) throw size(`HEADERS has ${length} bytes`, `${least} or more`);
  },
  [FRAME.priority]: (stream, length) => {
    onStream(stream, 'PRIORITY');
    exactly('PRIORITY', length, PRIORITY_BYTES);
  },
  [FRAME.rstStream]: (stream, length) => {
    onStream(stream, 'RST_STREAM');
    exactly('RST_STREAM', length, 4);
  },
  [FRAME.settings]: (stream, length, flags) => {
    onConnection(stream, 'SETTINGS');
    if (flags & FLAG.ack) exactly('an acknowledgement of SETTINGS', length, 0);
    else if (length % 6 !== 0) throw size(`SETTINGS has ${length} bytes`, 'a multiple of 6');
  },
  [FRAME.pushPromise]: () => {
    throw protocol('PUSH_PROMISE; expected none');
  },
  [FRAME.ping]: (stream, length) => {
    onConnection(stream, 'PING');
    exactly('PING', length, 8);
  },
  [FRAME.goaway]: (stream, length) => {
    onConnection(stream, 'GOAWAY');
    if (length < 8) throw size(`GOAWAY has ${length} bytes`, '8 or more');
  },
  [FRAME.windowUpdate]: (_stream, length) => exactly('WINDOW_UPDATE', length, 4),
  [FRAME.continuation]: (stream) => onStream(stream, 'CONTINUATION'),
};

function onStream(stream: number, what: string): void {
  if (stream === 0) throw protocol(`${what} on stream 0`);
}

function onConnection(stream: number, what: string): void {
  if (stream !== 0) throw protocol(`${what} on stream ${stream}; expected 0`);
}

function exactly(what: string, found: number, expected: number): void {
  if (found !== expected) throw size(`${what} has ${found} bytes`, String(expected));
}

function notItself(stream: number, dependency: number): void {
  if ((dependency & MAX_31) === stream) throw new StreamError(ERROR.PROTOCOL_ERROR, 'a stream depends on itself');
}

function protocol(message: string): Http2Error {
  return new Http2Error(ERROR.PROTOCOL_ERROR, message);
}

function size(found: string, expected: string): Http2Error {
  return new Http2Error(ERROR.FRAME_SIZE_ERROR, `${found}; expected ${expected}`);
}
