import type { MethodDefinition } from '@grpc/proto-loader';
import { inferenceService } from '../../servers/protocol/index.js';
import { grpcMessage } from './grpc-call.js';
import { grpcStatusName } from './grpc-names.js';
import { startUnary } from './grpc-stream.js';
import type { Http2Links } from './http2-links.js';

const SERVICE = inferenceService();

/** A control method of the service, outside of any measurement. Rejects where it is not answered OK, or when `signal` aborts. */
export function askControl<Answer>(
  links: Http2Links,
  name: string,
  request: object,
  signal: AbortSignal,
): Promise<Answer> {
  const method = SERVICE[name] as unknown as MethodDefinition<object, Answer>;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const leave = startUnary(links, { path: method.path }, framed(method.requestSerialize(request)), {
      head: () => {},
      answered(status, message, trailers) {
        signal.removeEventListener('abort', abort);
        if (status !== 0) reject(new Error(`${grpcStatusName(status)}: ${grpcMessage(trailers)}`));
        else resolve(method.responseDeserialize(message));
      },
      broken(code, message) {
        signal.removeEventListener('abort', abort);
        reject(new Error(message.includes(code) ? message : `${code}: ${message}`));
      },
    });
    const abort = () => {
      leave();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}

function framed(message: Buffer): readonly Uint8Array[] {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return [frame];
}
