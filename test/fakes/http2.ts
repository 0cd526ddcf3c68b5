import { type ConnectionOptions, Http2Connection } from '../../servers/protocol/http2/connection.js';
import { FrameReader } from '../../servers/protocol/http2/frame-reader.js';
import type { Headers } from '../../servers/protocol/http2/headers.js';
import type { Http2Stream, StreamSink } from '../../servers/protocol/http2/stream.js';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A connection without a socket: what it has to say is asked for. Time stands still. */
export class Side {
  readonly connection: Http2Connection;
  over = false;

  constructor(
    request?: (stream: Http2Stream, headers: Headers) => StreamSink,
    options: Partial<ConnectionOptions> = {},
  ) {
    const owner = {
      wake: () => {},
      over: () => {
        this.over = true;
      },
    };
    const all = { maxHeaderBytes: 16_384, maxStreams: 100, nowNs: () => 0, ...options };
    this.connection = new Http2Connection(request ? { ...owner, request } : owner, all);
  }

  /** All that it would write by now, to a socket that takes everything. */
  output(): Buffer {
    const pieces: Buffer[] = [];
    const { writer, sender } = this.connection;
    while (writer.bytes > 0) {
      for (const chunk of writer.take()) pieces.push(Buffer.from(chunk));
      writer.recycle();
      sender.pump();
    }
    for (const stream of this.connection.written) stream.sink.sent?.();
    this.connection.written = [];
    return Buffer.concat(pieces);
  }
}

/** Carries what two sides say to one another until both are silent, in pieces of up to `pieceBytes()`. */
export function talk(a: Side, b: Side, pieceBytes: () => number = () => Number.POSITIVE_INFINITY): void {
  for (let silent = 0, [from, to] = [a, b]; silent < 2; [from, to] = [to, from]) {
    const bytes = from.output();
    silent = bytes.length === 0 ? silent + 1 : 0;
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + Math.max(1, pieceBytes()));
      // Memory that is overwritten afterwards, as a socket's is.
      const piece = Buffer.from(bytes.subarray(at, end));
      to.connection.receive(piece);
      piece.fill(0xee);
      at = end;
    }
  }
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let head = { type: 0, flags: 0, stream: 0 };
  let data: Buffer[] = [];
  new FrameReader({
    head(type, flags, stream) {
      head = { type, flags, stream };
      return true;
    },
    payload: (found, from, to) => void frames.push({ ...head, payload: Buffer.from(found.subarray(from, to)) }),
    data(found, from, to, left) {
      data.push(Buffer.from(found.subarray(from, to)));
      if (left > 0) return;
      frames.push({ ...head, payload: Buffer.concat(data) });
      data = [];
    },
  }).feed(bytes);
  return frames;
}

/** Notes what it hears. */
export class Listener implements StreamSink {
  heads: Headers[] = [];
  body = Buffer.alloc(0);
  end = '';
  wasSent = false;

  headers(headers: Headers): void {
    this.heads.push(headers);
  }

  data(bytes: Buffer, from: number, to: number): void {
    this.body = Buffer.concat([this.body, bytes.subarray(from, to)]);
  }

  ended(): void {
    this.end = 'ended';
  }

  broken(code: string): void {
    this.end = code;
  }

  sent(): void {
    this.wasSent = true;
  }
}
