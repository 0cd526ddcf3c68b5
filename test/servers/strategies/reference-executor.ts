import type { Action, Execute, Strategy, StrategyRequest } from '../../../servers/strategies/contract.js';

/** The client of `request` goes away at `at`. */
export interface Cancellation {
  readonly at: number;
  readonly request: StrategyRequest;
}

export interface ReferenceCase {
  readonly strategy: Strategy;
  readonly instances: number;
  durationOf(execution: Execute): number;
  /** Sorted by `at`. */
  readonly requests: readonly StrategyRequest[];
  readonly cancellations?: readonly Cancellation[];
  /** Hold it to this: whatever it uses is never idle while something waits. */
  readonly workConserving?: boolean;
}

export interface Started {
  readonly execution: Execute;
  readonly start: number;
  end: number;
  killed: boolean;
}

/** How a request ended. */
export type Fate = `answered at ${number} (${string})` | `rejected at ${number}: ${string}` | 'cancelled';

export interface ReferenceLog {
  readonly executions: readonly Started[];
  readonly fates: ReadonlyMap<string, Fate>;
}

/**
 * An executor written for plainness, with cancellations: no heap, no sink. It holds the strategy to its contract at every
 * step and throws where the strategy breaks it; the virtual executor is compared with it.
 */
export function execute(given: ReferenceCase): ReferenceLog {
  return new Reference(given).run();
}

const MOST_INSTANTS = 100_000;
const MOST_ACTIONS = 10_000;

class Reference {
  readonly executions: Started[] = [];
  readonly fates = new Map<string, Fate>();
  readonly running = new Map<number, Started>();
  readonly offered = new Set<StrategyRequest>();
  readonly used = new Set<number>();
  now = 0;

  constructor(readonly given: ReferenceCase) {}

  run(): ReferenceLog {
    const { strategy, requests, cancellations = [] } = this.given;
    const times = [...requests, ...cancellations].map(({ at }) => at);
    let wake: number | undefined;
    for (let instants = 0; ; instants++) {
      check(instants < MOST_INSTANTS, 'the run ends');
      const ends = [...this.running.values()].map(({ end }) => end);
      const later = times.filter((at) => at > this.now || instants === 0);
      this.now = Math.min(...ends, ...later, wake ?? Number.POSITIVE_INFINITY);
      if (this.now === Number.POSITIVE_INFINITY) break;
      this.endExecutions();
      for (const request of requests) if (request.at === this.now) this.offer(request);
      this.pollAll();
      for (const { at, request } of cancellations) if (at === this.now) this.cancel(request);
      this.pollAll();
      wake = strategy.wakeAt();
      check(wake === undefined || wake > this.now, `wakeAt (${wake}) is later than the poll (${this.now})`);
    }
    for (const request of requests) check(this.fates.has(request.id), `request ${request.id} is not lost`);
    check(strategy.waiting() === 0, `nothing waits at the end (${strategy.waiting()})`);
    return { executions: this.executions, fates: this.fates };
  }

  endExecutions(): void {
    const ended = [...this.running].filter(([, { end }]) => end === this.now).sort(([a], [b]) => a - b);
    for (const [instance, { execution }] of ended) {
      this.running.delete(instance);
      if (execution.hold !== true) for (const request of execution.requests) this.answer(request, 'execution');
      this.given.strategy.finished(execution, this.now);
    }
  }

  offer(request: StrategyRequest): void {
    this.offered.add(request);
    const reason = this.given.strategy.offer(request, this.now);
    if (reason !== undefined) this.settle(request, `rejected at ${this.now}: ${reason}`);
  }

  cancel(request: StrategyRequest): void {
    if (this.fates.has(request.id) || !this.offered.has(request)) return;
    const { strategy } = this.given;
    const before = strategy.waiting();
    const dropped = strategy.cancel(request, this.now);
    if (this.isRunning(request)) check(!dropped, `a running request (${request.id}) is not cancelled`);
    else if (!this.hasStarted(request)) check(dropped, `a waiting request (${request.id}) is cancelled`);
    if (dropped) this.settle(request, 'cancelled');
    check(strategy.waiting() <= before, 'nothing more waits after a cancellation');
    check(!strategy.cancel(request, this.now) || !dropped, `request ${request.id} is cancelled once`);
  }

  pollAll(): void {
    const { strategy, workConserving = false } = this.given;
    for (let actions = 0; ; actions++) {
      check(actions < MOST_ACTIONS, 'poll comes to return none');
      const action = strategy.poll(this.now);
      if (action === undefined) break;
      this.carryOut(action);
    }
    check(strategy.poll(this.now) === undefined, 'poll goes on to return none while nothing happens');
    if (workConserving && strategy.waiting() > 0)
      check(
        this.used.size > 0 && [...this.used].every((instance) => this.running.has(instance)),
        'no instance that it uses is idle while a request waits',
      );
  }

  carryOut(action: Action): void {
    if (action.kind === 'execute') this.start(action);
    if (action.kind === 'respond') this.answer(action.request, action.source);
    if (action.kind === 'reject') this.settle(action.request, `rejected at ${this.now}: ${action.reason}`);
    if (action.kind === 'kill') this.kill(action.instance);
  }

  start(execution: Execute): void {
    const { instance, requests } = execution;
    check(instance >= 0 && instance < this.given.instances, `instance ${instance} exists`);
    check(!this.running.has(instance), `instance ${instance} is idle when an execution starts`);
    check(requests.length > 0, 'an execution has requests');
    for (const request of requests) {
      check(request.at <= this.now, `request ${request.id} starts after it arrived`);
      // A shadow copy may run when its original is long answered.
      if (execution.shadow !== true) check(!this.fates.has(request.id), `request ${request.id} still wants an answer`);
    }
    const started = { execution, start: this.now, end: this.now + this.given.durationOf(execution), killed: false };
    this.running.set(instance, started);
    this.executions.push(started);
    this.used.add(instance);
  }

  kill(instance: number): void {
    const started = this.running.get(instance);
    if (started === undefined) throw new Error(`what is killed runs (instance ${instance})`);
    this.running.delete(instance);
    started.end = this.now;
    started.killed = true;
  }

  answer(request: StrategyRequest, source: string): void {
    this.settle(request, `answered at ${this.now} (${source})`);
  }

  settle(request: StrategyRequest, fate: Fate): void {
    check(this.offered.has(request), `request ${request.id}, now ${fate}, was offered`);
    const earlier = this.fates.get(request.id);
    check(earlier === undefined, `request ${request.id}, now ${fate}, was not ${earlier} before`);
    this.fates.set(request.id, fate);
  }

  isRunning(request: StrategyRequest): boolean {
    return [...this.running.values()].some((started) => concerns(started, request));
  }

  hasStarted(request: StrategyRequest): boolean {
    return this.executions.some((started) => concerns(started, request));
  }
}

/** A log as plain data: ids for requests. */
export function plain({ executions, fates }: ReferenceLog) {
  return {
    executions: executions.map(({ execution, ...times }) => ({
      ...times,
      instance: execution.instance,
      rows: execution.rows,
      requests: execution.requests.map(({ id }) => id),
    })),
    fates: [...fates].sort(([a], [b]) => Number(a) - Number(b)),
  };
}

/** Whether it executes the request or a step of it; a shadow copy is another matter. */
function concerns({ execution }: Started, { id }: StrategyRequest): boolean {
  return execution.shadow !== true && execution.requests.some((r) => r.id === id || r.id.startsWith(`${id}/`));
}

function check(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`broken: ${sentence}`);
}
