import { ClientsQueue } from '../clients/clients-loop.js';
import type { LoadPlan } from '../clients/loads/index.js';
import { SessionQueue } from '../clients/session-queue.js';
import type { Hints } from '../servers/executors/index.js';
import { hintsOf } from '../servers/hints.js';
import type { Nanos, StrategyRequest } from '../servers/strategies/index.js';

/** A request of a simulated load; `index` is its row in the records. */
export interface SimulatedRequest extends StrategyRequest {
  readonly index: number;
  readonly dueNs: Nanos;
  readonly query: number;
  /** Number of its kind in a mixed load, else 0. */
  readonly kind: number;
  /** Of a client who asks again when it is answered. */
  readonly isClosed?: boolean;
}

/** A retry after a refusal at once would loop within one instant. */
const RETRY_NS = 1e6;

/**
 * A load plan as arrivals in virtual time: open plans at their due times, held back by their cap; closed ones when earlier
 * requests complete. The executor looks at `next` and calls `take`; whoever sees completions calls `completed`.
 */
export class SimulatedLoad {
  /** When the next request arrives; Infinity while none is to come. */
  next: Nanos = 0;
  /** Requests taken so far. */
  issued = 0;
  readonly #plan: LoadPlan;
  #now: Nanos = 0;
  #inFlight = 0;
  /** Closed loops: instants at which a query may be issued, ascending, and requests of the current query left. */
  readonly #ready: Nanos[] = [];
  #leftInQuery = 0;
  #queries = 0;
  readonly #openOfQuery = new Map<number, number>();

  readonly #hints: readonly Hints[];
  #sessions: SessionQueue | undefined;
  #clients: ClientsQueue | undefined;
  /** Of sessions: the place in the plan of each request that was taken. */
  readonly #places: number[] = [];

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    if (plan.mode === 'open' && plan.sessions) this.#sessions = new SessionQueue(plan);
    if (plan.mode === 'open' && plan.closed) this.#clients = new ClientsQueue(plan);
    this.#hints = plan.mix?.classes.map(({ parameters }) => hintsOf(parameters)) ?? [];
    if (plan.mode === 'closed') for (let slot = 0; slot < plan.concurrency; slot++) this.#ready.push(0);
    this.#look();
  }

  take(): SimulatedRequest {
    this.#now = this.next;
    const index = this.issued++;
    this.#inFlight++;
    const request =
      this.#plan.mode === 'open' ? this.#takeOpen(index, this.#plan) : this.#takeClosed(index, this.#plan);
    this.#look();
    return request;
  }

  /** A request was answered or refused; the client knows it, and may issue the next, at `knownAt`. */
  completed(request: SimulatedRequest, now: Nanos, refused: boolean, knownAt: Nanos = now): void {
    this.#now = now;
    this.#inFlight--;
    this.#sessions?.completed(this.#places[request.index]!, now, !refused);
    if (request.isClosed) this.#clients!.completed(request.kind, knownAt, !refused);
    if (this.#plan.mode === 'closed') {
      const left = this.#openOfQuery.get(request.query)! - 1;
      if (left > 0) this.#openOfQuery.set(request.query, left);
      else {
        this.#openOfQuery.delete(request.query);
        this.#ready.push(refused ? now + RETRY_NS : knownAt);
        this.#ready.sort((a, b) => a - b);
      }
    }
    this.#look();
  }

  #takeOpen(index: number, plan: LoadPlan & { mode: 'open' }): SimulatedRequest {
    if (this.#sessions) return this.#takeStep(index, plan, this.#sessions);
    if (this.#clients) return this.#takeOfClient(index, this.#clients);
    const due = { dueNs: plan.dueNs[index]!, query: plan.query[index]! };
    return { ...this.#kindOf(index), id: String(index), at: this.#now, rows: 1, index, ...due };
  }

  #takeStep(index: number, plan: LoadPlan & { mode: 'open' }, sessions: SessionQueue): SimulatedRequest {
    const { index: place, dueNs } = sessions.take();
    this.#places[index] = place;
    const query = plan.query[place]!;
    const last = plan.sessions!.steps.length - 1;
    const step = place % (last + 1);
    const flags = plan.sessions!.sequence ? { client: String(query + 1), start: step === 0, end: step === last } : {};
    return { ...flags, kind: 0, id: String(index), at: this.#now, rows: 1, index, dueNs, query };
  }

  #takeOfClient(index: number, clients: ClientsQueue): SimulatedRequest {
    const { index: place, dueNs, kind, isClosed } = clients.take();
    return {
      ...this.#kindOf(place, kind),
      id: String(index),
      at: this.#now,
      rows: 1,
      index,
      dueNs,
      query: index,
      isClosed,
    };
  }

  #takeClosed(index: number, plan: LoadPlan & { mode: 'closed' }): SimulatedRequest {
    if (this.#leftInQuery === 0) {
      this.#ready.shift();
      this.#leftInQuery = plan.perQuery;
      this.#openOfQuery.set(++this.#queries, plan.perQuery);
    }
    this.#leftInQuery--;
    const due = { dueNs: this.#now, query: this.#queries };
    return {
      ...this.#kindOf(index % this.#plan.sampleIndex.length),
      id: String(index),
      at: this.#now,
      rows: 1,
      index,
      ...due,
    };
  }

  /** What the server would understand of the parameters of its kind. */
  #kindOf(place: number, known?: number): Partial<StrategyRequest> & { readonly kind: number } {
    const { mix } = this.#plan;
    if (!mix) return { kind: 0 };
    const kind = known ?? mix.of[place]!;
    const { deadlineNs, ...hints } = this.#hints[kind - 1]!;
    const { model } = mix.classes[kind - 1]!;
    return { ...hints, model, deadlineNs: deadlineNs === undefined ? undefined : this.#now + deadlineNs, kind };
  }

  #look(): void {
    const plan = this.#plan;
    if (plan.mode === 'open' && this.#sessions) {
      const due = this.#inFlight < plan.cap ? this.#sessions.nextDueNs : Number.POSITIVE_INFINITY;
      this.next = Math.max(this.#now, due);
      return;
    }
    if (this.#clients) {
      this.next = Math.max(this.#now, this.#clients.nextDueNs);
      return;
    }
    if (plan.mode === 'open') {
      const free = this.issued < plan.dueNs.length && this.#inFlight < plan.cap;
      this.next = free ? Math.max(this.#now, plan.dueNs[this.issued]!) : Number.POSITIVE_INFINITY;
      return;
    }
    if (this.#leftInQuery > 0) this.next = this.#now;
    else
      this.next =
        this.#ready.length > 0 && !this.#over(plan) ? Math.max(this.#now, this.#ready[0]!) : Number.POSITIVE_INFINITY;
  }

  #over(plan: LoadPlan & { mode: 'closed' }): boolean {
    const at = Math.max(this.#now, this.#ready[0]!);
    if (at >= plan.maxDurationNs || this.#queries >= plan.maxQueries) return true;
    return at >= plan.minDurationNs && this.#queries >= plan.minQueries;
  }
}
