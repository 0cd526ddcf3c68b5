import { FrameWriter } from './frame-writer.js';
import { Guard } from './guard.js';
import { type Headers, requestHeaders, responseHeaders, trailerHeaders } from './headers.js';
import type { HeaderBlock } from './hpack-decoder.js';
import type { Field } from './hpack-static.js';
import { ReceiveWindow } from './receive-window.js';
import { type FrameMeaning, Receiver } from './receiver.js';
import { Sender } from './sender.js';
import { readSettings, writeSettings } from './settings.js';
import { Http2Stream, STREAM_WINDOW_BYTES, type StreamHost, type StreamSink } from './stream.js';
import { ERROR, errorName, FLAG, FRAME, Http2Error, MAX_31, PREFACE, StreamError } from './wire.js';

export interface ConnectionOptions {
  readonly maxHeaderBytes: number;
  /** A clock for limits by rate. */
  readonly nowNs: () => number;
  /** Streams that the peer, a client, may have open at once. */
  readonly maxStreams: number;
}

/** Who a connection belongs to. */
export interface ConnectionOwner {
  /** A server's: a request has begun. Returns who hears the rest of it. Absent: this side is the client. */
  request?(stream: Http2Stream, headers: Headers): StreamSink;
  /** There is something to send, or perhaps more than was. */
  wake(): void;
  /** Nothing more comes or goes, but what is still to be sent. */
  over(): void;
}

const WINDOW_BYTES = 16 * 1024 ** 2;
/** A long message in few frames. */
const MAX_FRAME_BYTES = 1024 * 1024;
/** Content from so many bytes on is read where it belongs. */
const READ_IN_PLACE = 64 * 1024;
/** Streams that we reset, on which the peer may not have heard of it. */
const REMEMBERED = 1000;

/**
 * HTTP/2 without TLS, priorities and push, either side: a state machine without I/O. Bytes go in by `receive`; what is to be
 * sent is in `writer`. Each fault of the peer ends a stream (RST_STREAM) or the connection (GOAWAY). Source: RFC 9113.
 */
export class Http2Connection implements FrameMeaning, StreamHost {
  readonly writer = new FrameWriter();
  readonly sender = new Sender(this.writer, (stream) => this.localEnded(stream));
  /** Streams whose last byte is in `writer`. */
  written: Http2Stream[] = [];
  private readonly streams = new Map<number, Http2Stream>();
  private readonly receiver: Receiver;
  private readonly window = new ReceiveWindow(WINDOW_BYTES);
  private readonly isServer: boolean;
  private readonly lately = new Set<number>();
  private postponed: Postponed[] = [];
  private preface = 0;
  private nextId = 1;
  /** The highest stream of the peer's. */
  private lastId = 0;
  /** No new streams: one of the two said goodbye. */
  private leaving = false;
  private broken = false;
  /** The DATA frame at hand. */
  private current: Http2Stream | undefined;
  private currentEnds = false;

  constructor(
    private readonly owner: ConnectionOwner,
    private readonly options: ConnectionOptions,
  ) {
    const { maxHeaderBytes, maxStreams } = options;
    this.isServer = owner.request !== undefined;
    this.receiver = new Receiver(this, new Guard(options.nowNs), { maxHeaderBytes, maxFrameBytes: MAX_FRAME_BYTES });
    if (!this.isServer) {
      this.writer.put(Buffer.from(PREFACE, 'latin1'));
      this.preface = PREFACE.length;
    }
    writeSettings(this.writer, {
      ...(this.isServer ? { maxConcurrentStreams: maxStreams } : { enablePush: 0 }),
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxFrameSize: MAX_FRAME_BYTES,
      maxHeaderListSize: maxHeaderBytes,
    });
    // The connection's own first window is no setting: RFC 9113, 6.9.2.
    this.writer.windowUpdate(0, WINDOW_BYTES - 65_535);
  }

  /** Whether a client can ask here. */
  get takesRequests(): boolean {
    return !this.leaving && !this.broken && this.nextId < MAX_31;
  }

  /** Whether the client has said what it must say first. */
  get begun(): boolean {
    return this.preface === PREFACE.length;
  }

  /** Where the next bytes belong, if that is known and they are many. */
  space(): Buffer | undefined {
    const { contentLeft } = this.receiver;
    if (contentLeft < READ_IN_PLACE || this.current === undefined || this.current.closed) return undefined;
    return this.current.sink.space?.(contentLeft);
  }

  /** Bytes from the peer; they may be overwritten afterwards. */
  receive(bytes: Buffer): void {
    if (this.broken) return;
    try {
      this.receiver.feed(this.begun ? bytes : this.readPreface(bytes));
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.fail(error);
    }
  }

  /** A client's request, whole; it waits where the server allows no more at once. */
  request(fields: readonly Field[], chunks: readonly Uint8Array[], sink: StreamSink): Http2Stream {
    const stream = new Http2Stream(this, 0, sink, 0);
    this.postponed.push({ stream, fields, chunks });
    this.openPostponed();
    return stream;
  }

  /** Takes no new streams, and is over once those that are open have ended. */
  goAway(): void {
    if (this.leaving || this.broken) return;
    this.leaving = true;
    this.writeGoAway(ERROR.NO_ERROR, '');
    this.overIfIdle();
  }

  /** The peer, or we ourselves, broke the protocol. */
  fail(error: Http2Error): void {
    if (this.broken) return;
    this.writeGoAway(error.code, error.message);
    this.lost(errorName(error.code), error.message);
    this.owner.over();
  }

  /** The connection is gone: what is open fails. */
  lost(code: string, message: string): void {
    this.broken = true;
    this.leaving = true;
    const open = [...this.streams.values(), ...this.postponed.map(({ stream }) => stream)];
    this.streams.clear();
    this.postponed = [];
    for (const stream of open) this.breakOff(stream, code, message);
  }

  // What streams ask for.

  sendHeaders(stream: Http2Stream, fields: readonly Field[], once: readonly Field[], end: boolean): void {
    this.sender.headers(stream, fields, once, end);
    this.owner.wake();
  }

  sendQueued(stream: Http2Stream): void {
    this.sender.queued(stream);
    this.owner.wake();
  }

  reset(stream: Http2Stream, code: number): void {
    if (stream.id > 0) this.writeReset(stream.id, code);
    this.close(stream);
  }

  // What frames mean.

  headers(id: number, block: HeaderBlock, end: boolean): void {
    const stream = this.streams.get(id);
    if (stream !== undefined) this.laterHeaders(stream, block, end);
    else if (this.isServer && id > this.lastId && id % 2 === 1) this.begin(id, block, end);
    else if (this.isIdle(id))
      throw new Http2Error(ERROR.PROTOCOL_ERROR, `HEADERS on stream ${id}, which nobody may open`);
    else if (this.isServer && !this.lately.has(id))
      throw new Http2Error(ERROR.STREAM_CLOSED, `HEADERS on stream ${id}, which has ended`);
  }

  dataHead(id: number, length: number, end: boolean): boolean {
    const granted = this.window.take(length);
    if (granted > 0) this.writeGrant(0, granted);
    const stream = this.streams.get(id);
    if (stream === undefined || stream.remoteDone) return this.strayData(id);
    if (!stream.headed) throw new StreamError(ERROR.PROTOCOL_ERROR, 'DATA before HEADERS');
    const more = stream.receiveWindow.take(length);
    if (more > 0 && !end) this.writeGrant(id, more);
    this.current = stream;
    this.currentEnds = end;
    return true;
  }

  data(bytes: Buffer, from: number, to: number): void {
    const stream = this.current!;
    if (stream.closed) return;
    stream.announced -= to - from;
    stream.sink.data(bytes, from, to);
  }

  dataEnd(): void {
    const stream = this.current!;
    this.current = undefined;
    if (this.currentEnds && !stream.closed) this.remoteEnded(stream);
  }

  /** RST_STREAM. */
  resetByPeer(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) this.refuseIdle(id, 'RST_STREAM');
    else {
      this.close(stream);
      stream.sink.broken(errorName(code), 'the stream was reset by the peer');
    }
  }

  settings(bytes: Buffer, from: number, to: number): void {
    const { sender } = this;
    const { initialWindowSize } = sender.peer;
    readSettings(sender.peer, bytes, from, to);
    this.writer.head(0, FRAME.settings, FLAG.ack, 0);
    sender.adopt(this.streams.values(), initialWindowSize);
    this.openPostponed();
    this.owner.wake();
  }

  ping(bytes: Buffer, from: number, to: number): void {
    this.writer.head(to - from, FRAME.ping, FLAG.ack, 0);
    this.writer.put(bytes, from, to);
    this.owner.wake();
  }

  goaway(lastStream: number, code: number, text: string): void {
    this.leaving = true;
    if (!this.isServer) {
      const unserved = [...this.streams.values()].filter(({ id }) => id > lastStream);
      const { postponed } = this;
      this.postponed = [];
      const why = text || `the server says goodbye (${errorName(code)})`;
      for (const { stream } of postponed) unserved.push(stream);
      for (const stream of unserved) {
        this.streams.delete(stream.id);
        this.breakOff(stream, errorName(ERROR.REFUSED_STREAM), why);
      }
    }
    this.overIfIdle();
  }

  windowUpdate(id: number, increment: number): void {
    const stream = this.streams.get(id);
    if (id > 0 && stream === undefined) this.refuseIdle(id, 'WINDOW_UPDATE');
    else {
      this.sender.grant(stream, increment);
      this.owner.wake();
    }
  }

  streamError(id: number, error: StreamError): void {
    const stream = this.streams.get(id);
    this.writeReset(id, error.code);
    if (stream === undefined) return;
    this.close(stream);
    stream.sink.broken(errorName(error.code), error.message);
  }

  private readPreface(bytes: Buffer): Buffer {
    const length = Math.min(bytes.length, PREFACE.length - this.preface);
    if (bytes.toString('latin1', 0, length) !== PREFACE.slice(this.preface, this.preface + length))
      throw new Http2Error(ERROR.PROTOCOL_ERROR, 'this is not HTTP/2; expected its preface (prior knowledge)');
    this.preface += length;
    return bytes.subarray(length);
  }

  private begin(id: number, block: HeaderBlock, end: boolean): void {
    this.lastId = id;
    if (this.broken) return;
    if (this.leaving || this.streams.size >= this.options.maxStreams)
      throw new StreamError(ERROR.REFUSED_STREAM, 'no more streams');
    if (block.tooLong) throw tooLong(this.options.maxHeaderBytes);
    const headers = requestHeaders(block);
    const stream = new Http2Stream(this, id, SILENT, this.sender.peer.initialWindowSize);
    stream.headed = true;
    stream.remoteDone = end;
    stream.announced = contentLength(headers);
    this.streams.set(id, stream);
    stream.sink = this.owner.request!(stream, headers);
    if (end && !stream.closed) this.remoteEnded(stream);
  }

  /** A response's head, or what follows the data. */
  private laterHeaders(stream: Http2Stream, block: HeaderBlock, end: boolean): void {
    if (stream.remoteDone) throw new StreamError(ERROR.STREAM_CLOSED, 'HEADERS after the end');
    if (block.tooLong) throw tooLong(this.options.maxHeaderBytes);
    if (stream.headed) {
      if (!end) throw new StreamError(ERROR.PROTOCOL_ERROR, 'HEADERS behind the data do not end the stream');
      stream.sink.headers(trailerHeaders(block), true);
    } else {
      const headers = responseHeaders(block);
      // Interim responses are passed over.
      if (headers.get(':status')!.startsWith('1') && !end) return;
      stream.headed = true;
      stream.announced = end ? Number.NaN : contentLength(headers);
      stream.sink.headers(headers, false);
    }
    if (end && !stream.closed) this.remoteEnded(stream);
  }

  private remoteEnded(stream: Http2Stream): void {
    stream.remoteDone = true;
    if (stream.announced !== 0 && !Number.isNaN(stream.announced))
      throw new StreamError(ERROR.PROTOCOL_ERROR, 'the content is not as long as content-length says');
    stream.sink.ended();
    if (stream.closed) return;
    if (stream.localDone) this.close(stream);
    // The answer is there before the request has gone: the rest is of no use.
    else if (!this.isServer) this.reset(stream, ERROR.CANCEL);
  }

  private localEnded(stream: Http2Stream): void {
    stream.localDone = true;
    if (stream.sink.sent) this.written.push(stream);
    if (stream.remoteDone) this.close(stream);
    // The request is answered: its rest is not wanted. Source: RFC 9113, 8.1.
    else if (this.isServer) this.reset(stream, ERROR.NO_ERROR);
  }

  private close(stream: Http2Stream): void {
    stream.closed = true;
    this.streams.delete(stream.id);
    if (this.leaving) this.overIfIdle();
    else if (this.postponed.length > 0) this.openPostponed();
  }

  private breakOff(stream: Http2Stream, code: string, message: string): void {
    if (stream.closed) return;
    stream.closed = true;
    stream.sink.broken(code, message);
  }

  private openPostponed(): void {
    const { peer } = this.sender;
    while (this.postponed.length > 0 && this.streams.size < peer.maxConcurrentStreams && this.takesRequests) {
      const { stream, fields, chunks } = this.postponed.shift()!;
      if (stream.closed) continue;
      stream.id = this.nextId;
      this.nextId += 2;
      stream.sendWindow = peer.initialWindowSize;
      this.streams.set(stream.id, stream);
      stream.headers(fields);
      stream.end(chunks);
    }
  }

  private strayData(id: number): false {
    this.refuseIdle(id, 'DATA');
    if (!this.lately.has(id)) throw new StreamError(ERROR.STREAM_CLOSED, 'DATA after the end');
    return false;
  }

  private refuseIdle(id: number, what: string): void {
    if (this.isIdle(id)) throw new Http2Error(ERROR.PROTOCOL_ERROR, `${what} on stream ${id}, which is not open`);
  }

  private isIdle(id: number): boolean {
    return id % 2 === 0 || (this.isServer ? id > this.lastId : id >= this.nextId);
  }

  private overIfIdle(): void {
    if (this.streams.size === 0 && this.postponed.length === 0) this.owner.over();
  }

  private writeReset(id: number, code: number): void {
    this.writer.reset(id, code);
    this.lately.add(id);
    if (this.lately.size > REMEMBERED) this.lately.delete(this.lately.values().next().value!);
    this.owner.wake();
  }

  private writeGrant(id: number, bytes: number): void {
    this.writer.windowUpdate(id, bytes);
    this.owner.wake();
  }

  private writeGoAway(code: number, message: string): void {
    const text = Buffer.from(message.slice(0, 200), 'latin1');
    this.writer.head(8 + text.length, FRAME.goaway, 0, 0);
    this.writer.uint32(this.lastId);
    this.writer.uint32(code);
    this.writer.put(text);
    this.owner.wake();
  }
}

interface Postponed {
  readonly stream: Http2Stream;
  readonly fields: readonly Field[];
  readonly chunks: readonly Uint8Array[];
}

/** For the time until a request's owner says who hears. */
const SILENT: StreamSink = { headers() {}, data() {}, ended() {}, broken() {} };

function contentLength(headers: Headers): number {
  const text = headers.get('content-length');
  return text === undefined ? Number.NaN : Number(text);
}

function tooLong(allowed: number): StreamError {
  return new StreamError(ERROR.ENHANCE_YOUR_CALM, `the headers are longer than ${allowed} bytes`);
}
