import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { PassThrough, type Readable } from 'node:stream';
import { listenAt } from '../frontends/listening.js';
import { HOP_BY_HOP } from './client-sink.js';
import { refuseHttp } from './grpc-refusals.js';
import { GrpcSink } from './grpc-sink.js';
import type { Door, Receiver } from './receiver.js';

/**
 * Opens the gateway's door for gRPC: HTTP/2 in the clear. Every call is a request of its own, whatever connection it came on; its
 * bytes go on undecoded. Throws UserError where the port can't be had.
 */
export async function openGrpc(receiver: Receiver, host: string, port: number): Promise<Door> {
  const server = createServer({ settings: { initialWindowSize: WINDOW_BYTES }, maxSessionMemory: 4096 });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', ignore);
  server.on('stream', (stream, headers) => receive(receiver, stream, headers));
  return { port: await listenAt(server, "gateway's gRPC door", host, port), close: () => close(server, sessions) };
}

const WINDOW_BYTES = 4 * 1024 ** 2;
const SESSION_WINDOW_BYTES = 16 * 1024 ** 2;

function receive(receiver: Receiver, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', ignore);
  if (headers[':method'] !== 'POST' || !headers['content-type']?.startsWith('application/grpc')) {
    refuseHttp(stream, 415, 'gRPC is spoken here; expected POST with Content-Type application/grpc\n');
    return;
  }
  const choice = receiver.choose(headers[receiver.balancing.userHeader] as string | undefined);
  const send = (body: Buffer | Readable) => {
    const { socket } = stream.session ?? {};
    if (!socket) return;
    const request = {
      protocol: 'grpc' as const,
      method: 'POST',
      path: headers[':path'] ?? '/',
      headers: forwarded(headers),
      body,
      client: socket.remoteAddress ?? '',
    };
    const { maxBuffered } = receiver.balancing;
    const abandon = receiver.send(
      choice,
      request,
      socket,
      (comparison) => new GrpcSink(stream, comparison?.collector(maxBuffered)),
    );
    stream.once('close', () => {
      if (!stream.writableFinished) abandon();
    });
  };
  if (isUnary(headers[':path'] ?? '')) collect(stream, receiver.balancing.maxBuffered, send);
  else send(between(stream, []));
}

/** A call that streams is sent on as it comes: its client may want an answer before it says more. */
function isUnary(path: string): boolean {
  return path.startsWith('/inference.') && !path.endsWith('/ModelStreamInfer');
}

/** The whole request; one that is longer than what may be kept streams on. */
function collect(stream: ServerHttp2Stream, maxBytes: number, send: (body: Buffer | Readable) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxBytes) return;
    stream.off('data', onData);
    stream.off('end', onEnd);
    send(between(stream, chunks));
  };
  const onEnd = () => {
    if (!stream.aborted) send(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
  };
  stream.on('data', onData);
  stream.once('end', onEnd);
}

/** What goes wrong at the replica must not cut the client off before it is told. */
function between(stream: ServerHttp2Stream, first: readonly Buffer[]): Readable {
  const through = new PassThrough().on('error', ignore);
  for (const chunk of first) through.write(chunk);
  return stream.pipe(through);
}

/** Pseudo headers and those of one connection stay here. */
function forwarded(headers: IncomingHttpHeaders): string[] {
  const pairs: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name.startsWith(':') || name === 'host' || HOP_BY_HOP.has(name)) continue;
    pairs.push(name, typeof value === 'string' ? value : value.join(', '));
  }
  return pairs;
}

/** Clients are told to go away (GOAWAY); calls in flight end first. */
function close(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const session of sessions) session.close();
  });
}

const ignore = (): void => {};
