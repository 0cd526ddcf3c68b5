import type { IncomingMessage } from 'node:http';
import { ProtocolError } from '../protocol/errors.js';

/**
 * Collects a request's body into one buffer. Where the length is announced, the chunks are copied into place as they come
 * (or taken as they are, where one chunk is all of it); a chunked body is joined once at its end. `done` gets the body,
 * or RESOURCE_EXHAUSTED as soon as it is known to exceed `maxBytes`; neither is called where the client goes away.
 */
export function collectBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (error: ProtocolError | undefined, body: Buffer) => void,
): void {
  const announced = request.headers['content-length'];
  const body = announced === undefined ? new Chunks() : new Announced(Number(announced));
  if (announced !== undefined && Number(announced) > maxBytes) {
    done(tooLarge(`${announced} bytes`, maxBytes), EMPTY);
    return;
  }
  const onData = (chunk: Buffer) => {
    body.add(chunk);
    if (body.size <= maxBytes) return;
    request.off('data', onData);
    request.off('end', onEnd);
    done(tooLarge('longer', maxBytes), EMPTY);
  };
  const onEnd = () => done(undefined, body.join());
  request.on('data', onData);
  request.on('end', onEnd);
}

/** A body whose length the parser holds the client to. */
class Announced {
  size = 0;
  private only: Buffer | undefined;
  private target: Buffer | undefined;

  constructor(private readonly length: number) {}

  add(chunk: Buffer): void {
    if (this.size === 0 && chunk.length === this.length) this.only = chunk;
    else {
      this.target ??= Buffer.allocUnsafeSlow(this.length);
      this.target.set(chunk, this.size);
    }
    this.size += chunk.length;
  }

  join(): Buffer {
    return this.only ?? this.target ?? EMPTY;
  }
}

class Chunks {
  size = 0;
  private readonly chunks: Buffer[] = [];

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
  }

  join(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.size);
  }
}

const EMPTY = Buffer.alloc(0);

function tooLarge(found: string, maxBytes: number): ProtocolError {
  return new ProtocolError('RESOURCE_EXHAUSTED', `the body is ${found}; expected at most ${maxBytes} bytes`);
}
