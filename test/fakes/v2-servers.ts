import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { nowNs } from '../../results/clock.js';
import { ProtocolError, STATUS } from '../../servers/protocol/errors.js';
import { decodeGrpcRequest, encodeGrpcResponse } from '../../servers/protocol/grpc-codec.js';
import { inferenceService } from '../../servers/protocol/grpc-service.js';
import { INFER_HEADER } from '../../servers/protocol/json.js';
import { decodeJsonRequest } from '../../servers/protocol/json-request.js';
import { encodeJsonResponse } from '../../servers/protocol/json-response.js';
import type { InferenceService, InferTicket } from '../../servers/protocol/service.js';

export interface FakeServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The smallest v2 REST server over a core: no checks, no limits. */
export async function startRest(service: InferenceService): Promise<FakeServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(service, request, Buffer.concat(chunks), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(service: InferenceService, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const [, , , model = '', action] = (request.url ?? '').split('/');
  try {
    if (action === 'infer') infer(service, model, request, body, response);
    else if (action === 'ready') send(response, service.modelReady(model) ? 200 : 503, {});
    else if (action === 'stats') send(response, 200, { model_stats: service.modelStatistics(model) });
    else send(response, 200, service.modelMetadata(model));
  } catch (error) {
    sendError(response, error);
  }
}

function infer(
  service: InferenceService,
  model: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const length = request.headers[INFER_HEADER.toLowerCase()];
  const decoded = decodeJsonRequest(body, length === undefined ? undefined : Number(length), model);
  let done = false;
  const ticket: InferTicket = service.infer(decoded, nowNs(), (outcome) => {
    done = true;
    if (!outcome.ok) {
      sendError(response, outcome.error);
      return;
    }
    const message = encodeJsonResponse(decoded, outcome.response, outcome.timings, nowNs());
    if (message.headerLength !== undefined) response.setHeader(INFER_HEADER, message.headerLength);
    response.end(Buffer.concat(message.parts));
  });
  response.on('close', () => {
    if (!done) ticket.cancel();
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof ProtocolError)) throw error;
  send(response, STATUS[error.code][0], { error: error.message, reason: error.reason });
}

/** The smallest v2 gRPC server over a core. */
export async function startGrpc(service: InferenceService): Promise<FakeServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(inferenceService(), {
    ModelReady: unary((request) => ({ ready: service.modelReady(request.name) })),
    ModelMetadata: unary((request) => service.modelMetadata(request.name)),
    ModelStatistics: unary((request) => ({ model_stats: service.modelStatistics(request.name) })),
    ModelInfer: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      let answered = false;
      const request = decodeGrpcRequest(call.request);
      const ticket = service.infer(request, nowNs(), (outcome) => {
        answered = true;
        if (outcome.ok) done(null, encodeGrpcResponse(request, outcome.response, outcome.timings, nowNs()));
        else done(grpcError(outcome.error));
      });
      call.on('cancelled', () => {
        if (!answered) ticket.cancel();
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    url: `127.0.0.1:${port}`,
    async close() {
      server.forceShutdown();
    },
  };
}

function unary(handle: (request: { readonly name: string }) => object) {
  return (call: ServerUnaryCall<{ readonly name: string }, object>, done: sendUnaryData<object>) => {
    try {
      done(null, handle(call.request));
    } catch (error) {
      if (error instanceof ProtocolError) done(grpcError(error));
      else throw error;
    }
  };
}

function grpcError(error: ProtocolError) {
  const metadata = new Metadata();
  if (error.reason) metadata.set('servemark-reason', error.reason);
  return { code: STATUS[error.code][1], details: error.message, metadata };
}
