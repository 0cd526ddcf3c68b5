import type { IncomingHttpHeaders } from 'node:http';
import type { Route } from './contract.js';
import type { Balancing } from './options.js';
import type { Pins } from './pins.js';
import type { Pool, Replica } from './pool.js';
import type { Trailers, Upstream, UpstreamControl, UpstreamListener, UpstreamRequest } from './upstream.js';

/** What all requests of a gateway share. */
export interface Core {
  readonly balancing: Balancing;
  readonly route: Route;
  /** ns since the gateway's start. */
  now(): number;
  /** For `random-two`. */
  draws(): readonly number[];
  retries: number;
  refused: number;
  /** Keeps it until a first replica joins the pool; false where too many are kept already. */
  hold(exchange: Exchange): boolean;
  drop(exchange: Exchange): void;
}

/** A request as a gateway sends it on. */
export interface Forwarded extends UpstreamRequest {
  /** IPv4 address. */
  readonly client: string;
}

/** Who hears of the answer. */
export interface Sink {
  /** `replica` is `pool/name`. */
  head(status: number, headers: IncomingHttpHeaders, replica: string, control: UpstreamControl): void;
  data(chunk: Buffer): void;
  end(trailers?: Trailers): void;
  /** Nothing was answered. */
  refused(status: number, reason: string, message: string): void;
  /** The answer breaks off. */
  cut(): void;
}

/**
 * One request in one pool: attempts on one replica after the other until one answers, for as long as nothing was answered, the
 * request can be sent again and the rules allow it.
 */
export class Exchange {
  readonly #tried = new Set<number>();
  #attempt: Attempt | undefined;
  #over = false;

  constructor(
    private readonly core: Core,
    readonly pool: Pool<Upstream>,
    private readonly request: Forwarded,
    private readonly sink: Sink,
    /** Of the client's connection, where the pick holds for all of it. */
    private readonly pins: Pins<Upstream> | undefined,
    /** A copy is tried once and never waits for a replica. */
    private readonly isCopy = false,
  ) {}

  start(): void {
    if (this.#over) return;
    const replica = this.#pick();
    if (replica) this.#try(replica);
    else if (this.isCopy || this.pool.size > 0 || !this.core.hold(this)) this.#noReplica();
  }

  /** The client has gone. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.core.drop(this);
    this.#attempt?.giveUp();
  }

  #pick(): Replica<Upstream> | undefined {
    const { core, request, pool } = this;
    const pinned = this.pins?.get(pool);
    if (pinned && pool.isIn(pinned) && !this.#tried.has(pinned.slot)) return pinned;
    const replica = pool.pick(core.now(), { client: request.client, draws: () => core.draws(), tried: this.#tried });
    if (replica) this.pins?.set(pool, replica);
    return replica;
  }

  #noReplica(): void {
    this.#over = true;
    // A copy that finds nobody is the mirror's to count.
    if (!this.isCopy) this.core.refused++;
    this.sink.refused(503, 'no-upstream', `no replica of ${this.pool.name} is up`);
  }

  #try(replica: Replica<Upstream>): void {
    this.#tried.add(replica.slot);
    const { core, pool, sink } = this;
    const startedAt = core.now();
    pool.begin(replica, startedAt);
    const ended = (end: AttemptEnd) => {
      const now = core.now();
      const ok = end.state === 'abandoned' ? undefined : end.state === 'answered' && end.status < 500;
      pool.end(replica, ok, now - startedAt, now);
      // An answer that is an error is the model's or the request's matter; what is tried again counts against the replica.
      this.#release(
        replica,
        end.state === 'abandoned' ? undefined : !core.balancing.retryOn.includes(failure(end)),
        now,
      );
      if (ok !== undefined) core.route.result?.(pool.name, ok, now - startedAt, now);
      this.#ended(end);
    };
    const name = `${pool.name}/${replica.spec.name}`;
    this.#attempt = new Attempt(sink, name, (status) => this.#again(status), core.balancing.timeout / 1e6, ended);
    this.#attempt.start(replica.upstream, this.request);
  }

  #release(replica: Replica<Upstream>, ok: boolean | undefined, now: number): void {
    if (!this.pins) this.pool.release(replica, ok, now);
    else if (ok === false) this.pins.unset(this.pool, replica, now);
  }

  /** This answer is not handed on: there will be another attempt. */
  #again(status: number): boolean {
    return status === 503 && this.core.balancing.retryOn.includes('unavailable') && this.#mayRetry();
  }

  #mayRetry(): boolean {
    const { balancing } = this.core;
    const resendable = this.request.body === null || Buffer.isBuffer(this.request.body);
    return !this.isCopy && resendable && this.#tried.size <= balancing.retries;
  }

  #ended(end: AttemptEnd): void {
    if (this.#over) return;
    const next = this.#isToBeTriedAgain(end) ? this.#pick() : undefined;
    if (next) {
      this.core.retries++;
      this.#try(next);
      return;
    }
    this.#over = true;
    if (end.state === 'withheld')
      this.sink.refused(503, 'unavailable', `${this.pool.name}: it is unavailable, and no other replica is up`);
    if (end.state !== 'broken') return;
    if (end.forwarded) this.sink.cut();
    else this.sink.refused(end.kind === 'timeout' ? 504 : 502, `replica-${end.kind}`, end.message);
  }

  /** Never once a byte of an answer has been forwarded. */
  #isToBeTriedAgain(end: AttemptEnd): boolean {
    if (end.state === 'withheld') return true;
    if (end.state !== 'broken' || end.forwarded) return false;
    return this.core.balancing.retryOn.includes(end.kind) && this.#mayRetry();
  }
}

type AttemptEnd =
  | { readonly state: 'answered'; readonly status: number }
  /** A 503 that nobody has seen. */
  | { readonly state: 'withheld' }
  | { readonly state: 'abandoned' }
  | {
      readonly state: 'broken';
      readonly kind: 'connect' | 'reset' | 'timeout';
      /** The client has had a part of it. */
      readonly forwarded: boolean;
      readonly message: string;
    };

function failure(end: AttemptEnd): Balancing['retryOn'][number] {
  if (end.state === 'broken') return end.kind;
  return end.state === 'withheld' || (end.state === 'answered' && end.status === 503) ? 'unavailable' : NONE;
}
/** What is on no list. */
const NONE = 'none' as never;

/** One request on one replica. `ended` is called exactly once. */
class Attempt implements UpstreamListener {
  #control: UpstreamControl | undefined;
  #timer: NodeJS.Timeout | undefined;
  #status = 0;
  #withheld = false;
  #over = false;

  constructor(
    private readonly sink: Sink,
    private readonly name: string,
    private readonly withhold: (status: number) => boolean,
    private readonly timeoutMs: number,
    private readonly ended: (end: AttemptEnd) => void,
  ) {}

  start(upstream: Upstream, request: Forwarded): void {
    this.#timer = setTimeout(() => this.#timedOut(), this.timeoutMs);
    upstream.send(request, this);
  }

  giveUp(): void {
    this.#settle({ state: 'abandoned' });
    this.#control?.abort();
  }

  started(control: UpstreamControl): void {
    this.#control = control;
    if (this.#over) control.abort();
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    if (this.#over) return;
    this.#status = status;
    this.#withheld = this.withhold(status);
    if (!this.#withheld) this.sink.head(status, headers, this.name, this.#control!);
  }

  data(chunk: Buffer): void {
    if (this.#over) return;
    this.#timer?.refresh();
    if (!this.#withheld) this.sink.data(chunk);
  }

  end(trailers?: Trailers): void {
    if (this.#over) return;
    if (this.#withheld) this.#settle({ state: 'withheld' });
    else {
      this.sink.end(trailers);
      this.#settle({ state: 'answered', status: trailers?.status ?? this.#status });
    }
  }

  broken(kind: 'connect' | 'reset' | 'timeout', error: Error): void {
    const forwarded = this.#status !== 0 && !this.#withheld;
    this.#settle({ state: 'broken', kind, forwarded, message: `${this.name}: ${error.message}` });
  }

  #timedOut(): void {
    this.broken('timeout', new Error(`no answer within ${this.timeoutMs} ms`));
    this.#control?.abort();
  }

  #settle(end: AttemptEnd): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.ended(end);
  }
}
