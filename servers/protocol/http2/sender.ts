import type { FrameWriter } from './frame-writer.js';
import { HpackEncoder } from './hpack-encoder.js';
import type { Field } from './hpack-static.js';
import { defaultSettings, type Settings } from './settings.js';
import type { Http2Stream } from './stream.js';
import { ERROR, FLAG, FRAME, Http2Error, MAX_31, StreamError } from './wire.js';

/** Bytes that are gathered before they are offered to the socket: more would be told as sent long after it was. */
const BURST_BYTES = 1024 * 1024;

/**
 * The sending side of a connection: as much of each stream's data as the windows of stream and connection allow, and the
 * socket takes. Streams wait in a line, the first is served first: half of every message is of no use to anyone.
 */
export class Sender {
  /** What the peer allows. */
  readonly peer: Settings = defaultSettings();
  /** The socket takes no more for now. */
  blocked = false;
  private readonly encoder = new HpackEncoder();
  private window = this.peer.initialWindowSize;
  private readonly line: Http2Stream[] = [];

  /** `finished` hears of a stream whose last frame has been written. */
  constructor(
    private readonly writer: FrameWriter,
    private readonly finished: (stream: Http2Stream) => void,
  ) {}

  headers(stream: Http2Stream, fields: readonly Field[], once: readonly Field[], end: boolean): void {
    const block = this.encoder.encode(fields, once);
    const { maxFrameSize } = this.peer;
    let type: number = FRAME.headers;
    for (let at = 0; at === 0 || at < block.length; at += maxFrameSize) {
      const to = Math.min(block.length, at + maxFrameSize);
      const last = to === block.length ? FLAG.endHeaders : 0;
      this.writer.head(to - at, type, last | (end && at === 0 ? FLAG.endStream : 0), stream.id);
      this.writer.put(block, at, to);
      type = FRAME.continuation;
    }
    if (end) this.finished(stream);
  }

  /** Something has been put into the stream's queue. */
  queued(stream: Http2Stream): void {
    const { outgoing } = stream;
    if (outgoing.waits || this.advance(stream)) return;
    outgoing.waits = true;
    this.line.push(stream);
  }

  /** Sends what can be sent. */
  pump(): void {
    const { line } = this;
    let kept = 0;
    for (let i = 0; i < line.length; i++) {
      const stream = line[i]!;
      if (!stream.closed && !this.advance(stream)) line[kept++] = stream;
      else stream.outgoing.waits = false;
    }
    line.length = kept;
  }

  /** The peer's word on the connection's window, or a stream's. */
  grant(stream: Http2Stream | undefined, bytes: number): void {
    if (stream === undefined) {
      this.window += bytes;
      if (this.window > MAX_31) throw new Http2Error(ERROR.FLOW_CONTROL_ERROR, 'the connection’s window is too large');
    } else {
      stream.sendWindow += bytes;
      if (stream.sendWindow > MAX_31)
        throw new StreamError(ERROR.FLOW_CONTROL_ERROR, 'the stream’s window is too large');
    }
    this.pump();
  }

  /** The peer has changed its settings: `initialBefore` was the initial window of its streams. */
  adopt(streams: Iterable<Http2Stream>, initialBefore: number): void {
    this.encoder.allow(this.peer.headerTableSize);
    const more = this.peer.initialWindowSize - initialBefore;
    if (more !== 0)
      for (const stream of streams) {
        stream.sendWindow += more;
        if (stream.sendWindow > MAX_31)
          throw new Http2Error(ERROR.FLOW_CONTROL_ERROR, 'a stream’s window is too large');
      }
    this.pump();
  }

  /** True once nothing waits in the stream's queue. */
  private advance(stream: Http2Stream): boolean {
    const { outgoing } = stream;
    const { maxFrameSize } = this.peer;
    while (outgoing.bytes > 0) {
      const bytes = Math.min(outgoing.bytes, maxFrameSize, this.window, stream.sendWindow);
      if (bytes <= 0 || this.blocked || this.writer.bytes >= BURST_BYTES) return false;
      this.window -= bytes;
      stream.sendWindow -= bytes;
      const last = outgoing.ending && bytes === outgoing.bytes && outgoing.trailers === undefined;
      this.writer.head(bytes, FRAME.data, last ? FLAG.endStream : 0, stream.id);
      outgoing.move(bytes, this.writer);
      if (last) {
        this.finished(stream);
        return true;
      }
    }
    if (!outgoing.ending) return true;
    if (outgoing.trailers) this.headers(stream, outgoing.trailers.fields, outgoing.trailers.once, true);
    else {
      this.writer.head(0, FRAME.data, FLAG.endStream, stream.id);
      this.finished(stream);
    }
    return true;
  }
}
