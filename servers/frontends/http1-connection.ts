import type { Socket } from 'node:net';
import { nowNs } from '../../results/clock.js';
import { type BodySink, ChunkedBody, HEAD_END, MalformedHttp } from '../protocol/http1-chunks.js';
import type { InferTicket } from '../protocol/index.js';
import { BodyMemory } from './body-memory.js';
import { parseHead, RefusedRequest, type RequestHead } from './http1-head.js';
import type { Reader } from './http1-socket.js';
import { answerHead, CONTINUE, refusalText } from './http1-text.js';

/** A request that has been read, and the way to answer it. */
export interface HttpExchange {
  readonly head: RequestHead;
  /** Good until it is answered, or given back. */
  readonly bytes: Buffer;
  /** nowNs() when its first byte came. */
  readonly receivedNs: number;
  /** Cancelled where the client goes away before the answer. */
  gone: InferTicket | undefined;
  /** Nobody will read `bytes` again, whatever becomes of the request. */
  giveBack(): void;
  /**
   * Once. `fields` are header lines with their line ends, without the length; the body is `text`, a character a byte, and
   * `parts` behind it: `length` bytes in all.
   */
  answer(status: number, fields: string, text: string, length: number, parts?: readonly Uint8Array[]): void;
}

/** What all connections of a server share. */
export interface ConnectionHost {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
  /** A coarse clock in ms, for timeouts. */
  readonly nowMs: number;
  /** `Date: …` with its line end. */
  readonly dateLine: string;
  /** No further request is wanted on a connection. */
  readonly closing: boolean;
  handle(exchange: HttpExchange): void;
  closed(connection: Http1Connection): void;
}

/** For how long what may last. */
export interface Timeouts {
  /** Between requests. */
  readonly idleMs: number;
  /** From a head's first byte to its last. */
  readonly headMs: number;
  readonly bodyMs: number;
  /** A client that does not read its answer. */
  readonly writeMs: number;
  /** A refused client that goes on sending: closing on unread data would reset the connection, and it would never see why. */
  readonly lingerMs: number;
}

/** `head`: none of the next request or a part of it; `body`; `busy`: being answered; `full`: the answer is not taken; `over`. */
type State = 'head' | 'body' | 'busy' | 'full' | 'over';

const EMPTY = Buffer.alloc(0);
const [CR, LF] = [0x0d, 0x0a];
const LETTERS = /^[A-Za-z]/;
const NO_HEAD: RequestHead = parseHead('GET / HTTP/1.0');
const NONE: readonly Uint8Array[] = [];
const ignore = (): void => {};
/** All connections read into one piece of memory: what a read brings is used or copied before the next one. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);
/** From here on bodies are read into memory of their own without a copy, which is used again. */
const LARGE_BODY = 32 * 1024;
const memory = new BodyMemory();

/**
 * One connection of HTTP/1.1: requests one after the other, each answered before the next is looked at, so that pipelined
 * ones are answered in order; while one is being answered what comes behind it waits in the kernel.
 */
export class Http1Connection implements HttpExchange, Reader, BodySink {
  head: RequestHead = NO_HEAD;
  bytes: Buffer = EMPTY;
  receivedNs = 0;
  gone: InferTicket | undefined;
  private state: State = 'head';
  /** When the state began. */
  private sinceMs: number;
  private readonly socket: Socket;
  /** Bytes that came and were not used yet. */
  private rest = EMPTY;
  /** Of a body that is coming: how much of `bytes` is there. */
  private filledBytes = 0;
  private chunks: ChunkedBody | undefined;
  private pieces: Buffer[] = [];
  private pieceBytes = 0;
  /** The last head, byte by byte: most clients send the same again. */
  private knownBytes = EMPTY;
  private known: RequestHead | undefined;
  private feeding = false;

  constructor(
    private readonly host: ConnectionHost,
    open: (connection: Http1Connection) => Socket,
  ) {
    this.sinceMs = host.nowMs;
    this.socket = open(this);
    this.socket.on('error', ignore);
    this.socket.on('end', () => this.ended());
    this.socket.on('close', () => this.closed());
    this.socket.on('drain', () => this.drained());
  }

  /** Reader: a large body goes where it belongs. */
  space(): Buffer {
    return this.readsInPlace ? this.bytes.subarray(this.filledBytes) : SHARED;
  }

  filled(length: number): void {
    if (!this.readsInPlace) {
      this.given(length === SHARED.length ? SHARED : SHARED.subarray(0, length));
      return;
    }
    this.filledBytes += length;
    if (this.filledBytes === this.bytes.length) this.submit();
  }

  given(bytes: Buffer): void {
    if (this.state === 'over') return;
    if (this.state === 'busy' || this.state === 'full') {
      this.keep(bytes);
      this.socket.pause();
      return;
    }
    this.feed(this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]));
  }

  giveBack(): void {
    memory.giveBack(this.bytes);
    this.bytes = EMPTY;
  }

  answer(status: number, fields: string, body: string, length: number, parts: readonly Uint8Array[] = NONE): void {
    if (this.state !== 'busy') return;
    const { head, host, socket } = this;
    this.gone = undefined;
    this.bytes = EMPTY;
    const stays = head.keepAlive && !host.closing;
    const connection = stays ? (head.old ? 'Connection: keep-alive\r\n' : '') : 'Connection: close\r\n';
    const text = answerHead(status, fields, length, host.dateLine + connection);
    if (head.method === 'HEAD') socket.write(text, 'latin1');
    else if (parts.length === 0) socket.write(text + body, 'latin1');
    else {
      socket.cork();
      socket.write(Buffer.from(text + body, 'latin1'));
      for (const part of parts) socket.write(part);
      socket.uncork();
    }
    if (!stays) this.leave();
    else if (socket.writableNeedDrain && socket.writableLength > 0) this.enter('full');
    else this.next();
  }

  /** No further requests: closes now where nothing is under way, else after the answer. */
  retire(): void {
    if (this.state === 'head' && this.rest.length === 0) this.leave();
  }

  /** Called now and then. */
  checkTime(limits: Timeouts): void {
    const ms = this.host.nowMs - this.sinceMs;
    if (this.state === 'head') {
      if (this.rest.length === 0) {
        if (ms > limits.idleMs) this.leave();
      } else if (ms > limits.headMs) this.refuse(408, 'the head of the request did not come in time');
    } else if (this.state === 'body') {
      if (ms > limits.bodyMs) this.refuse(408, 'the body of the request did not come in time');
    } else if (this.state === 'full') {
      if (ms > limits.writeMs) this.socket.destroy();
    } else if (this.state === 'over' && ms > (this.socket.writableLength > 0 ? limits.writeMs : limits.lingerMs))
      this.socket.destroy();
  }

  private get readsInPlace(): boolean {
    return this.state === 'body' && this.chunks === undefined;
  }

  /** Uses what it can of these bytes and keeps the others. */
  private feed(input: Buffer): void {
    this.rest = EMPTY;
    this.feeding = true;
    let at = 0;
    try {
      while (at < input.length) {
        const next =
          this.state === 'head' ? this.readHead(input, at) : this.state === 'body' ? this.readBody(input, at) : -1;
        if (next < 0) break;
        at = next;
      }
    } catch (error) {
      if (!(error instanceof MalformedHttp)) throw error;
      this.refuse(400, error.message);
    } finally {
      this.feeding = false;
    }
    if (at === input.length || this.state === 'over') return;
    this.keep(input.subarray(at));
    if (this.state === 'busy' || this.state === 'full') this.socket.pause();
  }

  private keep(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
  }

  private readHead(input: Buffer, at: number): number {
    // Empty lines before a request are passed over (RFC 9112, 2.2).
    if (input[at] === CR && input[at + 1] === LF) return at + 2;
    if (this.receivedNs === 0) {
      this.receivedNs = nowNs();
      this.sinceMs = this.host.nowMs;
    }
    const size = this.knownBytes.length;
    if (size > 0 && input.length - at >= size && this.knownBytes.compare(input, at, at + size) === 0)
      return this.begin(this.known!, input, at + size);
    const end = input.indexOf(HEAD_END, at);
    const { maxHeadBytes } = this.host;
    if ((end < 0 ? input.length : end) - at > maxHeadBytes)
      return this.refuse(431, `the request's head is too long; expected at most ${maxHeadBytes} bytes`);
    if (end < 0) return this.lookAtPart(input, at);
    try {
      const head = parseHead(input.toString('latin1', at, end));
      this.known = head;
      this.knownBytes = Buffer.from(input.subarray(at, end + HEAD_END.length));
      return this.begin(head, input, end + HEAD_END.length);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      return this.refuse(error.status, error.message);
    }
  }

  /** What can't become a head any more is not waited for. */
  private lookAtPart(input: Buffer, at: number): number {
    const line = input.indexOf(LF, at);
    if (line === 0 || (line > 0 && input[line - 1] !== CR) || !LETTERS.test(input.toString('latin1', at, at + 1)))
      return this.refuse(400, 'the request line does not end with CR LF, or is none');
    return -1;
  }

  private begin(head: RequestHead, input: Buffer, at: number): number {
    const { maxBodyBytes } = this.host;
    this.head = head;
    const { length } = head;
    if (length > maxBodyBytes)
      return this.refuse(413, `the body is ${length} bytes; expected at most ${maxBodyBytes} bytes`);
    if (length === 0) {
      this.bytes = EMPTY;
      this.submit();
      return at;
    }
    if (length > 0 && input.length - at >= length) {
      this.bytes = Buffer.from(input.subarray(at, at + length));
      this.submit();
      return at + length;
    }
    if (head.expectsContinue && at === input.length) this.socket.write(CONTINUE, 'latin1');
    this.enter('body');
    if (length < 0) {
      this.chunks = new ChunkedBody();
      this.pieceBytes = 0;
      return at;
    }
    this.chunks = undefined;
    this.bytes = length >= LARGE_BODY ? memory.take(length) : Buffer.allocUnsafe(length);
    this.filledBytes = input.copy(this.bytes, 0, at);
    return input.length;
  }

  /** In chunks, or of a length where node reads into memory of its own. */
  private readBody(input: Buffer, at: number): number {
    if (this.chunks === undefined) {
      const taken = input.copy(this.bytes, this.filledBytes, at);
      this.filledBytes += taken;
      if (this.filledBytes === this.bytes.length) this.submit();
      return at + taken;
    }
    const next = this.chunks.read(input, at, this);
    if (this.state === 'body' && this.chunks.complete) {
      this.bytes = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces, this.pieceBytes);
      this.pieces = [];
      this.submit();
    }
    return next;
  }

  /** A piece of a body in chunks. */
  body(piece: Buffer): void {
    this.pieceBytes += piece.length;
    if (this.state !== 'body') return;
    const { maxBodyBytes } = this.host;
    if (this.pieceBytes <= maxBodyBytes) this.pieces.push(Buffer.from(piece));
    else this.refuse(413, `the body is longer; expected at most ${maxBodyBytes} bytes`);
  }

  private submit(): void {
    this.state = 'busy';
    this.host.handle(this);
  }

  /** The answer is out. */
  private next(): void {
    this.enter('head');
    this.receivedNs = 0;
    if (this.feeding) return;
    const { rest } = this;
    if (rest.length > 0) this.feed(rest);
    // Also while the next one is being answered: only who reads sees a client go away.
    if (this.rest.length === 0 || this.state === 'head' || this.state === 'body') this.goOnReading();
  }

  private goOnReading(): void {
    if (this.socket.isPaused()) this.socket.resume();
  }

  private drained(): void {
    if (this.state === 'full') this.next();
  }

  private refuse(status: number, message: string): -1 {
    this.socket.write(refusalText(status, message, this.host.dateLine), 'utf8');
    this.pieces = [];
    this.leave();
    return -1;
  }

  /** After what is still to be written; what still comes is read and dropped. */
  private leave(): void {
    this.enter('over');
    this.socket.end();
    this.goOnReading();
  }

  /** The client sends nothing more: as every client that goes away. */
  private ended(): void {
    if (this.state === 'busy') this.socket.destroy();
    else if (this.state !== 'over') this.leave();
  }

  private closed(): void {
    const { gone } = this;
    this.gone = undefined;
    // Half a body was nobody's yet.
    if (this.readsInPlace) this.giveBack();
    this.state = 'over';
    this.host.closed(this);
    gone?.cancel();
  }

  private enter(state: State): void {
    this.state = state;
    this.sinceMs = this.host.nowMs;
  }
}
