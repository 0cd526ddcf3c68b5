import { type ClientHttp2Session, type ClientSessionOptions, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';

/** 1 MiB windows spare large tensors the stalls of HTTP/2's 64 kB default: 1.9 times the throughput at 600 kB. */
const WINDOW_BYTES = 1024 * 1024;

const OPTIONS: ClientSessionOptions = {
  settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  // What waits to be sent counts too: a hundred streams of some MB each are no reason to refuse one.
  maxSessionMemory: 4096,
};

/**
 * A fixed number of HTTP/2 connections, taken in turn, each opened when it is first needed and again after it was closed,
 * broken or told to go away.
 */
export class Http2Sessions {
  private readonly sessions: (ClientHttp2Session | undefined)[];
  private readonly origin: URL;
  private next = 0;

  /** `authority` is like `127.0.0.1:8001`. */
  constructor(authority: string, count: number) {
    this.origin = new URL(`http://${authority}`);
    this.sessions = new Array<undefined>(count).fill(undefined);
  }

  /** One that takes new streams; perhaps it is still connecting. */
  pick(): ClientHttp2Session {
    const at = this.next;
    this.next = (at + 1) % this.sessions.length;
    const session = this.sessions[at];
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    return this.open(at);
  }

  /** What is under way fails. */
  destroy(): void {
    for (const session of this.sessions) session?.destroy();
  }

  private open(at: number): ClientHttp2Session {
    const { hostname, port } = this.origin;
    const socket = connectSocket({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), noDelay: true });
    let error: NodeJS.ErrnoException | undefined;
    // Ahead of node's own listener, which ends the streams.
    socket.once('error', (found) => {
      error = found;
    });
    const session = connect(this.origin, { ...OPTIONS, createConnection: () => socket });
    this.sessions[at] = session;
    causes.set(session, () => error);
    // The initial window of the connection itself is no setting: RFC 9113, 6.9.2.
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    session.on('error', () => {});
    return session;
  }
}

const causes = new WeakMap<ClientHttp2Session, () => NodeJS.ErrnoException | undefined>();

/** The system's error that broke a connection: node tells its streams only that they were reset. */
export function socketError(session: ClientHttp2Session): NodeJS.ErrnoException | undefined {
  return causes.get(session)?.();
}
