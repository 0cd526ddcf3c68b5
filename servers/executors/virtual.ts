import type { Action, Execute, Nanos, Strategy, StrategyRequest } from '../strategies/index.js';
import type { ArrivalSource, SimulationCase, SimulationSink, SimulationTotals } from './contract.js';
import { ExecutionEnds } from './ends.js';

/**
 * Run a strategy in virtual time, to its end or up to `until`. At each instant: executions end, in order of instance (their
 * requests are answered, then `finished`); requests arrive; the strategy is polled until it returns none; it is asked
 * when to wake. Exact in integer ns. `events` counts arrivals, ends and timers. The sink is called in the order of events.
 * Throws Error where the strategy breaks its contract (a busy instance, a wake that is not later than the poll, actions or
 * wakes without an end).
 */
export function simulate(simulation: SimulationCase, sink: SimulationSink = {}): SimulationTotals {
  return new Simulation(simulation, sink).run();
}

/** Actions of one instant, and wakes in a row without an action: a strategy with more of them does not end. */
const ENDLESS = 50_000_000;

class Simulation {
  readonly #strategy: Strategy;
  readonly #ends: ExecutionEnds;
  readonly #arrivals: ArrivalSource;
  readonly #until: Nanos;
  #now: Nanos = 0;
  #events = 0;
  #offered = 0;
  #answered = 0;
  #rejected = 0;
  #executions = 0;
  #rows = 0;
  #lastEnd: Nanos = 0;

  constructor(
    readonly simulation: SimulationCase,
    readonly sink: SimulationSink,
  ) {
    this.#strategy = simulation.strategy;
    this.#ends = new ExecutionEnds(simulation.instances.length);
    this.#arrivals = 'take' in simulation.requests ? simulation.requests : new Arrivals(simulation.requests);
    this.#until = Math.min(simulation.until ?? Number.MAX_VALUE, Number.MAX_VALUE);
  }

  run(): SimulationTotals {
    const ends = this.#ends;
    const arrivals = this.#arrivals;
    const strategy = this.#strategy;
    let wake = Number.POSITIVE_INFINITY;
    let idleWakes = 0;
    for (;;) {
      const now = Math.min(ends.next(), arrivals.next, wake);
      if (now > this.#until) break;
      this.#now = now;
      if (now === wake) {
        this.#events++;
        if (++idleWakes > ENDLESS)
          throw new Error(
            `the strategy asks to be woken without an end: ${idleWakes} times in a row nothing came of it`,
          );
      }
      while (ends.next() === now) this.#end(ends.nextInstance());
      while (arrivals.next === now) this.#arrive(arrivals.take());
      let actions = 0;
      for (let action = strategy.poll(now); action !== undefined; action = strategy.poll(now)) {
        this.#carryOut(action);
        if (++actions > ENDLESS) throw new Error(`the strategy has no end of actions at ${now} ns: ${actions} so far`);
      }
      if (actions > 0) idleWakes = 0;
      wake = strategy.wakeAt() ?? Number.POSITIVE_INFINITY;
      if (wake <= now) throw new Error(`the strategy asks to be woken at ${wake} ns, not later than now, ${now} ns`);
    }
    return this.#totals();
  }

  #end(instance: number): void {
    const execution = this.#ends.execution(instance)!;
    const start = this.#ends.startOf(instance);
    this.#ends.removeNext();
    this.#events++;
    this.#lastEnd = this.#now;
    this.sink.ended?.(execution, start, this.#now, false);
    if (execution.hold !== true) this.#answerAll(execution);
    this.#strategy.finished(execution, this.#now);
  }

  #answerAll(execution: Execute): void {
    this.#answered += execution.requests.length;
    if (this.sink.answered === undefined) return;
    for (const request of execution.requests) this.sink.answered(request, this.#now, 'execution', false);
  }

  #arrive(request: StrategyRequest): void {
    this.#events++;
    this.#offered++;
    const reason = this.#strategy.offer(request, this.#now);
    if (reason !== undefined) this.#reject(request, reason);
  }

  #reject(request: StrategyRequest, reason: string): void {
    this.#rejected++;
    this.sink.rejected?.(request, this.#now, reason);
  }

  #carryOut(action: Action): void {
    switch (action.kind) {
      case 'execute':
        this.#execute(action);
        break;
      case 'reject':
        this.#reject(action.request, action.reason);
        break;
      case 'respond':
        this.#answered++;
        this.sink.answered?.(action.request, this.#now, action.source, true);
        break;
      case 'kill':
        this.#kill(action.instance);
        break;
      case 'scale':
        this.sink.scaled?.(action.replicas, this.#now);
        break;
      default:
        this.sink.other?.(action, this.#now);
    }
  }

  #execute(execution: Execute): void {
    const { instance } = execution;
    if (instance >= this.simulation.instances.length || this.#ends.execution(instance) !== undefined)
      throw new Error(`the strategy starts an execution on instance ${instance}, which is busy or does not exist`);
    const end = this.#now + this.simulation.durationOf(execution, this.#now);
    this.#ends.add(execution, this.#now, end);
    this.#executions++;
    this.#rows += execution.rows;
    this.sink.started?.(execution, this.#now, end);
  }

  #kill(instance: number): void {
    const execution = this.#ends.execution(instance);
    if (execution === undefined) throw new Error(`the strategy kills instance ${instance}, where nothing runs`);
    const start = this.#ends.startOf(instance);
    this.#ends.remove(instance);
    this.#lastEnd = this.#now;
    this.sink.ended?.(execution, start, this.#now, true);
  }

  /** What still runs is listed with its planned end. */
  #totals(): SimulationTotals {
    let lastEndNs = this.#lastEnd;
    for (const { id } of this.simulation.instances)
      if (this.#ends.execution(id) !== undefined) lastEndNs = Math.max(lastEndNs, this.#ends.endOf(id));
    return {
      events: this.#events,
      offered: this.#offered,
      answered: this.#answered,
      rejected: this.#rejected,
      executions: this.#executions,
      rows: this.#rows,
      lastEndNs,
    };
  }
}

/** The requests still to come, one looked ahead. Arrays, the usual case, are read without an iterator. */
class Arrivals implements ArrivalSource {
  /** When the next arrives; Infinity after the last. */
  next: Nanos = Number.POSITIVE_INFINITY;
  readonly #list: readonly StrategyRequest[] | undefined;
  #index = 0;
  readonly #iterator: Iterator<StrategyRequest> | undefined;
  #ahead: StrategyRequest | undefined;

  constructor(requests: Iterable<StrategyRequest>) {
    if (Array.isArray(requests)) this.#list = requests as readonly StrategyRequest[];
    else this.#iterator = requests[Symbol.iterator]();
    this.#look();
  }

  take(): StrategyRequest {
    const request = this.#ahead!;
    this.#look();
    if (this.next < request.at)
      throw new Error(`requests are not sorted: ${this.next} ns comes after ${request.at} ns`);
    return request;
  }

  #look(): void {
    this.#ahead = this.#list === undefined ? this.#pull() : this.#list[this.#index++];
    this.next = this.#ahead === undefined ? Number.POSITIVE_INFINITY : this.#ahead.at;
  }

  #pull(): StrategyRequest | undefined {
    const result = this.#iterator!.next();
    return result.done === true ? undefined : result.value;
  }
}
