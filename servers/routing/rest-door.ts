import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { DEFAULT_LIMITS } from '../frontends/index.js';
import { listenAt } from '../frontends/listening.js';
import { collectBody } from './body.js';
import { ClientSink, forwardedHeaders } from './client-sink.js';
import type { RouteChoice } from './contract.js';
import type { Forwarded } from './exchange.js';

import { gatewayMetrics } from './metrics.js';
import type { Door, Receiver } from './receiver.js';

/** Opens the gateway's door for HTTP/1.1; `/metrics` is its own page. Throws UserError where the port can't be had. */
export async function openRest(receiver: Receiver, host: string, port: number): Promise<Door> {
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    maxHeaderSize: DEFAULT_LIMITS.maxHeaderBytes,
  });
  server.on('request', (request, response) => receive(receiver, request, response));
  return { port: await listenAt(server, 'gateway', host, port), close: () => close(server) };
}

/** As the frontends: a connection that closes under a request looks like a failed request. */
const KEEP_ALIVE_MS = 120_000;

function receive(receiver: Receiver, request: IncomingMessage, response: ServerResponse): void {
  request.on('error', ignore);
  response.on('error', ignore);
  if (request.url === '/metrics') void tellMetrics(receiver, response);
  else forward(receiver, request, response);
}

async function tellMetrics(receiver: Receiver, response: ServerResponse): Promise<void> {
  const text = await gatewayMetrics(receiver.counts());
  response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(text);
}

function forward(receiver: Receiver, request: IncomingMessage, response: ServerResponse): void {
  const { userHeader, maxBuffered } = receiver.balancing;
  const choice = receiver.choose(request.headers[userHeader] as string | undefined);
  const send = (body: Forwarded['body']) => sendOn(receiver, request, response, choice, body);
  const length = request.headers['content-length'];
  const hasBody = length !== undefined || request.headers['transfer-encoding'] !== undefined;
  if (!hasBody) send(null);
  else if (Number(length) <= maxBuffered) collectBody(request, maxBuffered, (_error, body) => send(body));
  // Between the two: what goes wrong at the replica must not cut the client off before it is told.
  else send(request.pipe(new PassThrough()).on('error', ignore));
}

function sendOn(
  receiver: Receiver,
  request: IncomingMessage,
  response: ServerResponse,
  choice: RouteChoice,
  body: Forwarded['body'],
): void {
  const forwarded: Forwarded = {
    protocol: 'rest',
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: forwardedHeaders(request.rawHeaders, body === null || Buffer.isBuffer(body)),
    body,
    client: request.socket.remoteAddress ?? '',
  };
  const abandon = receiver.send(
    choice,
    forwarded,
    request.socket,
    (comparison) => new ClientSink(response, comparison?.collector(receiver.balancing.maxBuffered)),
  );
  response.once('close', () => {
    if (!response.writableFinished) abandon();
  });
}

/** What is under way may end; then idle connections are closed. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => server.closeIdleConnections(), 20);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const ignore = (): void => {};
