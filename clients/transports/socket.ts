import { connect, type Socket } from 'node:net';

const READ_BYTES = 64 * 1024;

/** A connection that reads into the same memory each time: `received` hears of bytes that are good during the call. */
export function openSocket({ hostname, port }: URL, received: (bytes: Buffer) => void): Socket {
  return connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 80),
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length, buffer) => {
        received((buffer as Buffer).subarray(0, length));
        return true;
      },
    },
  });
}
