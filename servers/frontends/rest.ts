import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { nowNs } from '../../results/clock.js';
import type { InferenceService } from '../protocol/index.js';
import type { Frontend, FrontendDefinition, FrontendLimits, FrontendOptions } from './contract.js';
import { cannotListen } from './listening.js';
import { route } from './rest-routes.js';

/** Longer than any pause of a load generator: a connection that closes under a request looks like a failed request. */
const KEEP_ALIVE_MS = 120_000;

/** KServe v2 over HTTP/1.1: JSON and the binary tensor extension. Source: Open Inference Protocol, "HTTP/REST". */
export const rest = {
  name: 'rest',
  summary: 'KServe v2 over HTTP/1.1: JSON, binary tensors, Triton’s config and statistics, Prometheus metrics',
  async start(service: InferenceService, options: FrontendOptions): Promise<Frontend> {
    const server = createHttpServer(service, options);
    const port = await listen(server, options);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return { address: `http://${host}:${port}`, port, close: () => close(server) };
  },
} as const satisfies FrontendDefinition;

function createHttpServer(service: InferenceService, { limits, metrics }: FrontendOptions): Server {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  });
  server.on('request', (request, response) => {
    const receivedNs = nowNs();
    // A closing server must not be kept waiting by a connection that stays open after its answer.
    if (!server.listening) response.shouldKeepAlive = false;
    request.on('error', ignore);
    response.on('error', ignore);
    route({ service, limits, metrics, request, response, receivedNs });
  });
  server.on('clientError', (error, socket) => refuseUnparsed(error, socket as Socket, limits));
  return server;
}

function listen(server: Server, { host, port }: FrontendOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(cannotListen(`REST frontend at ${host}:${port}`, error.message, error));
    });
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}

/**
 * Idle connections are closed at once, the others after the answer they wait for. Looking again now and then costs the
 * end a few milliseconds; watching every answer would cost every request.
 */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => server.closeIdleConnections(), 20);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
  });
}

/** What the HTTP parser itself refuses has no request object: the answer is written by hand. */
function refuseUnparsed(error: NodeJS.ErrnoException, socket: Socket, limits: FrontendLimits): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const message = tooLong
    ? `the request's head is too long; expected at most ${limits.maxHeaderBytes} bytes`
    : `not an HTTP/1.1 request: ${error.message}`;
  const body = JSON.stringify({ error: message });
  const status = tooLong ? '413 Payload Too Large' : '400 Bad Request';
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}

/** A connection that breaks ends its exchange by `close`; without a listener the event would end the process. */
function ignore(): void {}
