import type { IncomingHttpHeaders } from 'node:http';
import type { MirrorCounts } from '../../results/gateway.js';
import { type Core, Exchange, type Forwarded, type Sink } from './exchange.js';
import type { Pool } from './pool.js';
import { type Answer, sameAnswer } from './same-answer.js';
import type { Trailers, Upstream, UpstreamControl } from './upstream.js';

/**
 * Copies of requests, a bounded number at once. Nothing of them reaches a client: their answers end here, compared with the
 * primary's where that is asked for, and a pool that is slow, dead or wrong costs dropped copies only.
 */
export class Mirror {
  #underWay = 0;
  #copied = 0;
  #dropped = 0;
  #answered = 0;
  #failed = 0;
  #compared = 0;
  #differed = 0;

  constructor(
    private readonly core: Core,
    private readonly maxBytes: number,
  ) {}

  /** A copy is sent after the original. Answers who wants to hear the original's answer, where answers are compared. */
  copy(pool: Pool<Upstream>, request: Forwarded): Comparison | undefined {
    const { maxMirrored = Number.POSITIVE_INFINITY, compare } = this.core.route;
    if (this.#underWay >= maxMirrored) {
      this.#dropped++;
      return undefined;
    }
    this.#copied++;
    this.#underWay++;
    const comparison = compare && new Comparison((a, b) => this.#compare(a, b, compare.tolerance));
    const sink = new CopySink(comparison ? this.maxBytes : 0, (answer, failed) => {
      this.#underWay--;
      if (failed) this.#failed++;
      else this.#answered++;
      comparison?.copied(answer);
    });
    setImmediate(() => new Exchange(this.core, pool, request, sink, undefined, true).start());
    return comparison;
  }

  tooLarge(): void {
    this.#dropped++;
  }

  counts(): MirrorCounts {
    return {
      copied: this.#copied,
      dropped: this.#dropped,
      answered: this.#answered,
      failed: this.#failed,
      compared: this.#compared,
      differed: this.#differed,
    };
  }

  #compare(a: Answer, b: Answer, tolerance: number): void {
    this.#compared++;
    if (!sameAnswer(a, b, tolerance)) this.#differed++;
  }
}

/** The two answers to one request, whichever comes first. One of them absent: there is nothing to compare. */
export class Comparison {
  #primary: Answer | undefined;
  #copy: Answer | undefined;

  constructor(private readonly both: (primary: Answer, copy: Answer) => void) {}

  /** Takes the primary's answer on its way to the client. */
  collector(maxBytes: number): Collector {
    return new Collector(maxBytes, (answer) => {
      this.#primary = answer;
      this.#check();
    });
  }

  copied(answer: Answer | undefined): void {
    this.#copy = answer;
    this.#check();
  }

  #check(): void {
    const primary = this.#primary;
    const copy = this.#copy;
    // Not in the way of the answer that is just being sent.
    if (primary && copy) setImmediate(() => this.both(primary, copy));
  }
}

/** Collects an answer of at most `maxBytes`, to be told `whole` at its end; a longer one is read and forgotten. */
export class Collector {
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #chunks: Buffer[] | undefined = [];
  #size = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly whole: (answer: Answer) => void = () => {},
  ) {}

  head(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  data(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.maxBytes) this.#chunks = undefined;
    this.#chunks?.push(chunk);
  }

  end(trailers: Trailers | undefined): void {
    if (trailers) this.#status = trailers.status;
    const answer = this.answer();
    if (answer) this.whole(answer);
  }

  answer(): Answer | undefined {
    return this.#chunks && { status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) };
  }
}

class CopySink implements Sink {
  readonly #collector: Collector;
  #status = 0;

  constructor(
    maxBytes: number,
    private readonly done: (answer: Answer | undefined, failed: boolean) => void,
  ) {
    this.#collector = new Collector(maxBytes);
  }

  head(status: number, headers: IncomingHttpHeaders, _replica: string, _control: UpstreamControl): void {
    this.#status = status;
    this.#collector.head(status, headers);
  }

  data(chunk: Buffer): void {
    this.#collector.data(chunk);
  }

  end(trailers?: Trailers): void {
    this.#collector.end(trailers);
    this.done(this.#collector.answer(), (trailers?.status ?? this.#status) >= 500);
  }

  refused(): void {
    this.done(undefined, true);
  }

  cut(): void {
    this.done(undefined, true);
  }
}
