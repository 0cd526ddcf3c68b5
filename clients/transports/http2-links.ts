import { nowNs } from '../../results/clock.js';
import { type Field, Http2Link } from '../../servers/protocol/http2/index.js';
import { openSocket } from './socket.js';

/** What an answer's headers may take. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * A fixed number of HTTP/2 connections, taken in turn, each opened when it is first needed and again after it was closed,
 * broken or told to go away.
 */
export class Http2Links {
  private readonly links: (Http2Link | undefined)[];
  private readonly origin: URL;
  private readonly heads = new Map<string, readonly Field[]>();
  private next = 0;

  /** `authority` is like `127.0.0.1:8001`. */
  constructor(
    private readonly authority: string,
    count: number,
  ) {
    this.origin = new URL(`http://${authority}`);
    this.links = new Array<undefined>(count).fill(undefined);
  }

  /** One that takes new streams; perhaps it is still connecting. */
  pick(): Http2Link {
    const at = this.next;
    this.next = (at + 1) % this.links.length;
    const link = this.links[at];
    if (link?.connection.takesRequests) return link;
    const opened = this.open();
    this.links[at] = opened;
    return opened;
  }

  /** The head of all calls of this method: the same list each time, so that HPACK makes a byte of each field, once. */
  headOf(path: string): readonly Field[] {
    const known = this.heads.get(path);
    if (known) return known;
    const head: readonly Field[] = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', this.authority],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
    ];
    this.heads.set(path, head);
    return head;
  }

  /** What is under way fails. */
  destroy(): void {
    for (const link of this.links) link?.destroy();
  }

  private open(): Http2Link {
    const socket = openSocket(this.origin, (bytes) => link.received(bytes));
    const link: Http2Link = new Http2Link(socket, { maxHeaderBytes: MAX_HEADER_BYTES, maxStreams: 0, nowNs });
    return link;
  }
}
