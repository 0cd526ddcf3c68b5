/** What is not HTTP/1.1. */
export class MalformedHttp extends Error {
  override readonly name = 'MalformedHttp';
}

/** Who takes a body, piece by piece. */
export interface BodySink {
  /** A view that is only good during the call. */
  body(bytes: Buffer): void;
}

export const LINE_END = '\r\n';
export const HEAD_END = '\r\n\r\n';

const MAX_LINE_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
/** Size and extensions; nothing that another reader might take for the end of the line. */
const SIZE_LINE = /^([0-9a-f]{1,12})[ \t]*(?:;[^\0\r\n]*)?$/i;

/**
 * Reads one body in chunks (RFC 9112, 7.1), for both sides of the protocol. Extensions and trailers are passed over; whatever
 * two readers could understand differently is refused.
 */
export class ChunkedBody {
  /** The last chunk and its trailers have been read. */
  complete = false;
  private step: Step = this.readSize;
  /** Bytes of the chunk that are still to come. */
  private left = 0;
  private trailerBytes = 0;

  /** Reads on from `at`; answers where it stopped, which may be anywhere up to the input's end, or −1 where a line is not whole yet. Throws MalformedHttp. */
  read(input: Buffer, at: number, sink: BodySink): number {
    return this.step(input, at, sink);
  }

  private readSize(input: Buffer, at: number): number {
    const end = lineEnd(input, at, 'chunk size');
    if (end < 0) return -1;
    const size = SIZE_LINE.exec(input.toString('latin1', at, end));
    if (size === null) throw new MalformedHttp('a chunk does not begin with its size');
    this.left = Number.parseInt(size[1]!, 16);
    this.step = this.left === 0 ? this.readTrailer : this.readChunk;
    return end + LINE_END.length;
  }

  private readChunk(input: Buffer, at: number, sink: BodySink): number {
    const end = Math.min(input.length, at + this.left);
    sink.body(input.subarray(at, end));
    this.left -= end - at;
    if (this.left === 0) this.step = this.readChunkEnd;
    return end;
  }

  private readChunkEnd(input: Buffer, at: number): number {
    if (input.length - at < LINE_END.length) return -1;
    if (input.toString('latin1', at, at + LINE_END.length) !== LINE_END)
      throw new MalformedHttp('a chunk is longer than its size');
    this.step = this.readSize;
    return at + LINE_END.length;
  }

  private readTrailer(input: Buffer, at: number): number {
    const end = lineEnd(input, at, 'trailer');
    if (end < 0) return -1;
    this.trailerBytes += end - at;
    if (this.trailerBytes > MAX_TRAILER_BYTES) throw new MalformedHttp(`trailers exceed ${MAX_TRAILER_BYTES} bytes`);
    if (end === at) this.complete = true;
    return end + LINE_END.length;
  }
}

type Step = (this: ChunkedBody, input: Buffer, at: number, sink: BodySink) => number;

function lineEnd(input: Buffer, at: number, what: string): number {
  const end = input.indexOf(LINE_END, at);
  if ((end < 0 ? input.length : end) - at > MAX_LINE_BYTES)
    throw new MalformedHttp(`a ${what} exceeds ${MAX_LINE_BYTES} bytes`);
  return end;
}
