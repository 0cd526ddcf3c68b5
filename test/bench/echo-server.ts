import { constants, createServer as createHttp2, type Http2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { encodeGrpcResponse } from '../../servers/protocol/grpc-codec.js';
import { encodeJsonResponse } from '../../servers/protocol/json-response.js';
import { emptyTimings } from '../../servers/protocol/timings.js';
import type { InferRequest, InferResponse } from '../../servers/protocol/types.js';

/**
 * The cheapest server that a client can be measured against, a process of its own: it counts the bytes of a request and
 * answers with a fixed message of the same tensor size. Started with `rest|rest-binary|grpc` and the number of floats;
 * tells its port over IPC.
 */
const [kind = 'rest', floats = '4'] = process.argv.slice(2);
const tensor = {
  name: 'y',
  datatype: 'FP32' as const,
  shape: [1, Number(floats)],
  data: new Uint8Array(Number(floats) * 4),
};
const response: InferResponse = { modelName: 'echo', outputs: [tensor] };
const request: InferRequest = {
  modelName: 'echo',
  inputs: [],
  parameters: { binary_data_output: kind === 'rest-binary' },
};

const server = kind === 'grpc' ? grpcServer() : httpServer();
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));

function httpServer(): Server {
  const message = encodeJsonResponse(request, response, emptyTimings(), 0);
  const length =
    message.headerLength === undefined ? '' : `Inference-Header-Content-Length: ${message.headerLength}\r\n`;
  const head = Buffer.from(`HTTP/1.1 200 OK\r\n${length}Content-Length: ${message.length}\r\n\r\n`);
  const answer = Buffer.concat([head, ...message.parts]);
  return createServer({ noDelay: true }, (socket) => {
    let left = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      // A request begins at a chunk's start: clients here never send the next before the answer.
      left = left > 0 ? left - chunk.length : bodyLeft(chunk);
      if (left === 0) socket.write(answer);
    });
  });
}

/** Bytes of the body that are still to come after the chunk that holds the head. */
function bodyLeft(chunk: Buffer): number {
  const end = chunk.indexOf('\r\n\r\n');
  const head = chunk.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return length - (chunk.length - end - 4);
}

function grpcServer(): Server {
  const message = encodeGrpcResponse(request, response, emptyTimings(), 0);
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  const windowSize = 1024 * 1024;
  const http2 = createHttp2({ settings: { initialWindowSize: windowSize } });
  http2.on('session', (session: Http2Session) => session.setLocalWindowSize(windowSize));
  http2.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('end', () => {
      // h2load leaves in the middle when its time is over.
      if (stream.destroyed) return;
      stream.respond(
        { [constants.HTTP2_HEADER_STATUS]: 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.end(frame);
    });
    stream.resume();
  });
  return http2;
}
