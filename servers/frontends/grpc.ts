import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../protocol/errors.js';
import { SERVICE_NAME } from '../protocol/grpc-service.js';
import type { InferenceService } from '../protocol/index.js';
import type { Frontend, FrontendDefinition, FrontendLimits, FrontendOptions } from './contract.js';
import { hostCall } from './grpc-hosted-call.js';
import { serveInfer } from './grpc-infer.js';
import { grpcJsControls } from './grpc-js-methods.js';
import { GrpcRouter } from './grpc-router.js';
import { addServices } from './grpc-services.js';
import { statusOf } from './grpc-status.js';
import { refuseCall, refuseHttp } from './grpc-wire.js';
import { cannotListen } from './listening.js';

/** KServe v2 over gRPC, on an engine of our own over node:http2. Source: Open Inference Protocol, "gRPC". */
export const grpc = {
  name: 'grpc',
  summary: 'KServe v2 over gRPC: raw and typed tensors, Triton’s config and statistics, reflection, health',
  async start(service: InferenceService, options: FrontendOptions): Promise<Frontend> {
    const router = new GrpcRouter();
    const stopServices = addServices(router, service, grpcJsControls(service));
    const { server, sessions } = createGrpcServer(service, router, options.limits);
    const port = await listen(server, options);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return { address: `${host}:${port}`, port, close: () => close(server, sessions, stopServices) };
  },
} as const satisfies FrontendDefinition;

/** Flow control: a tensor of some MB arrives without waiting for permission after each 64 KiB. */
const STREAM_WINDOW = 4 * 1024 ** 2;
const SESSION_WINDOW = 16 * 1024 ** 2;
const MODEL_INFER = `/${SERVICE_NAME}/ModelInfer`;

function createGrpcServer(service: InferenceService, router: GrpcRouter, limits: FrontendLimits) {
  const server = createServer({
    settings: { initialWindowSize: STREAM_WINDOW, maxHeaderListSize: limits.maxHeaderBytes },
    // Many streams of some MB each may be under way on one connection; each has its own limit.
    maxSessionMemory: 4096,
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', ignore);
  server.on('stream', (stream, headers) => {
    const receivedNs = nowNs();
    stream.on('error', ignore);
    if (!speaksGrpc(stream, headers)) return;
    if (headers[':path'] === MODEL_INFER) serveInfer(service, stream, headers, limits.maxBodyBytes, receivedNs);
    else route(stream, headers[':path'] ?? '', router, limits);
  });
  return { server, sessions };
}

function route(stream: ServerHttp2Stream, path: string, router: GrpcRouter, { maxBodyBytes }: FrontendLimits): void {
  const found = router.find(path);
  if (found) hostCall(stream, found, maxBodyBytes);
  else refuse(stream, `there is no method ${path}; expected one of ${SERVICE_NAME}, reflection or health`);
}

/** False where the call has been refused. */
function speaksGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const { ':method': method, 'content-type': type, 'grpc-encoding': encoding = 'identity' } = headers;
  if (method === 'POST' && type?.startsWith('application/grpc') && encoding === 'identity') return true;
  if (method !== 'POST') refuseHttp(stream, 405, 'gRPC is spoken here; expected POST\n');
  else if (encoding === 'identity') refuseHttp(stream, 415, `Content-Type is ${type}; expected application/grpc\n`);
  else refuse(stream, `grpc-encoding is ${String(encoding)}; expected none: send messages uncompressed`);
  return false;
}

function refuse(stream: ServerHttp2Stream, message: string): void {
  refuseCall(stream, statusOf(new ProtocolError('UNIMPLEMENTED', message)));
}

function listen(server: Http2Server, { host, port }: FrontendOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(`gRPC frontend at ${host}:${port}`, error.message, error)));
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Clients are told to go away (GOAWAY); calls in flight end first. */
function close(
  server: Http2Server,
  sessions: ReadonlySet<ServerHttp2Session>,
  stopServices: () => void,
): Promise<void> {
  stopServices();
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const session of sessions) session.close();
  });
}

/** A stream or connection that breaks ends its calls by `close`; without a listener the event would end the process. */
function ignore(): void {}
