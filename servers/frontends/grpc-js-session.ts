import type { ServerHttp2Session } from 'node:http2';
import type { Metadata, ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { nowNs } from '../../results/clock.js';

/** Flow control: a tensor of some MB arrives without waiting for permission after each 64 KiB. */
const STREAM_WINDOW = 4 * 1024 ** 2;
const SESSION_WINDOW = 16 * 1024 ** 2;

/**
 * Sees each call when its head comes: notes the time, and opens the HTTP/2 windows of a new connection.
 *
 * grpc-js has options for neither on the server, and its handlers run only when the whole message is there. The call that it
 * hands to interceptors holds stream and metadata as private fields; where a version keeps them elsewhere, the windows
 * stay small and the time is the handler's, and nothing else changes.
 */
export class CallObserver {
  private readonly sessions = new WeakSet<object>();
  private readonly arrivals = new WeakMap<object, number>();

  readonly interceptor: ServerInterceptor = (_method, call) => {
    const { stream, metadata } = call as unknown as { stream?: { session?: ServerHttp2Session }; metadata?: object };
    if (metadata) this.arrivals.set(metadata, nowNs());
    if (stream?.session && !this.sessions.has(stream.session)) this.open(stream.session);
    // The call itself, unwrapped: each layer of interception would cost every request.
    return call as ServerInterceptingCall;
  };

  /** nowNs() when the call with this metadata began. */
  receivedNs(metadata: Metadata): number {
    return this.arrivals.get(metadata) ?? nowNs();
  }

  private open(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.settings({ initialWindowSize: STREAM_WINDOW });
    session.setLocalWindowSize(SESSION_WINDOW);
  }
}
