import { connect, type Socket } from 'node:net';

const READ_BYTES = 64 * 1024;

/**
 * A connection that reads into the same memory each time, its own or one that many share: `received` hears of bytes that are
 * good during the call.
 */
export function openSocket(
  { hostname, port }: URL,
  received: (bytes: Buffer) => void,
  buffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES),
): Socket {
  return connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 80),
    noDelay: true,
    onread: {
      buffer,
      callback: (length) => {
        received(buffer.subarray(0, length));
        return true;
      },
    },
  });
}
