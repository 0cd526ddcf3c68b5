import { z } from 'zod';
import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type Strategy,
  type StrategyContext,
  type StrategyRequest,
} from './contract.js';
import { ComposingModel } from './support/composing-model.js';
import { Fifo } from './support/fifo.js';
import { count } from './support/options.js';
import { problemsOf, StepGraph } from './support/step-graph.js';

const step = z.strictObject({ name: z.string().min(1), model: z.string(), after: z.array(z.string()).default([]) });
const model = z.strictObject({
  instances: z.array(count()).min(1),
  strategy: z
    .strictObject({ name: z.string(), options: z.record(z.string(), z.unknown()).prefault({}) })
    .prefault({ name: 'instance-group' }),
});
const options = z
  .strictObject({
    steps: z.array(step).min(1),
    models: z.record(z.string(), model),
    maxInflightRequests: count().default(0),
  })
  .superRefine((given, context) => {
    for (const [path, message] of problemsOf(given)) context.addIssue({ code: 'custom', path, message });
  });

type Options = z.output<typeof options>;

/**
 * A graph of steps: each is queued in its model, which has its own strategy and instances, as soon as the steps that it
 * comes after are done. Source: Triton ensemble scheduler.
 */
export const tritonEnsemble = defineStrategy({
  name: 'triton-ensemble',
  summary: 'A graph of models; each step is queued in its model as soon as its inputs exist',
  source: 'Triton ensemble scheduler',
  differs: [
    'A step waits for the steps that are named in `after`; the original derives them from tensor names.',
    'Simulated only: a real server carries out the same rules over its models by tensor names (`ensemble` of a system).',
  ],
  unranked: 'it serves a graph of several models',
  simulatedOnly:
    'a real one is no strategy of one model but a graph of a server’s models, each with its own: `ensemble: { steps: […] }` beside `models`',
  originals: { steps: 'ensemble_scheduling.step', maxInflightRequests: 'max_inflight_requests' },
  options,
  examples: [
    { steps: [{ name: 'only', model: 'm' }], models: { m: { instances: [0] } } },
    {
      steps: [
        { name: 'first', model: 'm' },
        { name: 'second', model: 'm', after: ['first'] },
      ],
      models: { m: { instances: [0], strategy: { name: 'triton-dynamic', options: { maxBatchSize: 4 } } } },
      maxInflightRequests: 8,
    },
  ],
  maxRows: ({ models }) =>
    Object.values(models).every(({ strategy }) => strategy.name === 'instance-group') ? 1 : Number.POSITIVE_INFINITY,
  create: (given, context) => new TritonEnsemble(given, context),
});

/** The turn before those of the models. */
const DOOR = -1;

/** A request that has come through the door. */
interface Flight {
  readonly request: StrategyRequest;
  /** For every step, how many of those it comes after are not done. */
  readonly missing: number[];
  stepsLeft: number;
  /** Not answered, not rejected. */
  live: boolean;
  /** A step of it has run or runs. */
  started: boolean;
  /** By step: offered and not yet done. */
  readonly queued: (StepRequest | undefined)[];
}

/** What a model's strategy sees of a request. */
interface StepRequest extends StrategyRequest {
  readonly flight: Flight;
  readonly step: number;
}

class TritonEnsemble implements Strategy {
  readonly #graph: StepGraph;
  readonly #models: readonly ComposingModel[];
  readonly #modelOfStep: readonly ComposingModel[];
  readonly #modelOfInstance = new Map<number, ComposingModel>();
  readonly #maxInflight: number;
  readonly #door = new Fifo<StrategyRequest>();
  readonly #flights = new Map<StrategyRequest, Flight>();
  /** Flights of which nothing has run. */
  #unstarted = 0;
  readonly #outbox = new Fifo<Action>();
  /** Where the round over door and models stands. */
  #turn = DOOR;
  /** Something happened in this round. */
  #happened = false;

  constructor(given: Options, context: StrategyContext) {
    this.#graph = new StepGraph(given.steps);
    this.#maxInflight = given.maxInflightRequests || Number.POSITIVE_INFINITY;
    const models = new Map(
      Object.entries(given.models).map(([name, { instances, strategy }]) => [
        name,
        new ComposingModel(name, instances, strategy, context),
      ]),
    );
    this.#models = [...models.values()];
    this.#modelOfStep = given.steps.map((each) => models.get(each.model)!);
    for (const each of this.#models) for (const instance of each.instances) this.#modelOfInstance.set(instance, each);
  }

  offer(request: StrategyRequest): undefined {
    this.#door.push(request);
  }

  finished(execution: Execute, now: Nanos, ok = true): void {
    this.#modelOfInstance.get(execution.instance)!.finished(execution, now, ok, {
      answered: (request) => this.#stepDone(request as StepRequest, now),
      failed: (request) => this.#reject((request as StepRequest).flight, 'execution-failed'),
    });
  }

  /** Rounds over the door and the models, each model until it wants nothing more, until a round changes nothing. */
  poll(now: Nanos): Action | undefined {
    for (;;) {
      const own = this.#outbox.shift();
      if (own !== undefined) return own;
      if (this.#turn === DOOR) {
        this.#happened = this.#admit(now);
        this.#turn = 0;
      }
      while (this.#turn < this.#models.length) {
        const action = this.#models[this.#turn]!.poll(now);
        if (action === undefined) {
          this.#turn++;
          continue;
        }
        this.#happened = true;
        const outward = this.#translate(action, now);
        if (outward !== undefined) return outward;
      }
      this.#turn = DOOR;
      if (!this.#happened && this.#outbox.length === 0) return undefined;
    }
  }

  wakeAt(): Nanos | undefined {
    let earliest: Nanos = Number.POSITIVE_INFINITY;
    for (const each of this.#models) earliest = Math.min(earliest, each.wakeAt() ?? Number.POSITIVE_INFINITY);
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** A live request is dropped as long as none of its steps has started. */
  cancel(request: StrategyRequest, now: Nanos): boolean {
    if (this.#door.remove(request)) return true;
    const flight = this.#flights.get(request);
    if (flight === undefined || flight.started) return false;
    for (const queued of flight.queued) if (queued) this.#modelOfStep[queued.step]!.cancel(queued, now);
    this.#land(flight);
    return true;
  }

  waiting(): number {
    return this.#door.length + this.#unstarted;
  }

  #admit(now: Nanos): boolean {
    const before = this.#door.length;
    while (this.#door.length > 0 && this.#flights.size < this.#maxInflight) {
      const request = this.#door.shift()!;
      const flight: Flight = {
        request,
        missing: this.#graph.requirements(),
        stepsLeft: this.#graph.size,
        live: true,
        started: false,
        queued: [],
      };
      this.#flights.set(request, flight);
      this.#unstarted++;
      for (const root of this.#graph.roots) this.#offerStep(flight, root, now);
    }
    return this.#door.length < before;
  }

  #offerStep(flight: Flight, index: number, now: Nanos): void {
    if (!flight.live) return;
    const { id, rows, priority, shapeKey, timeoutNs, deadlineNs } = flight.request;
    const request: StepRequest = {
      id: `${id}/${this.#graph.nameOf(index)}`,
      at: now,
      rows,
      priority,
      shapeKey,
      timeoutNs,
      deadlineNs,
      flight,
      step: index,
    };
    const refused = this.#modelOfStep[index]!.offer(request, now);
    if (refused === undefined) flight.queued[index] = request;
    else this.#reject(flight, refused);
  }

  #stepDone(request: StepRequest, now: Nanos): void {
    const { flight, step: index } = request;
    flight.queued[index] = undefined;
    if (!flight.live) return;
    flight.stepsLeft--;
    for (const next of this.#graph.followers(index))
      if (--flight.missing[next]! === 0) this.#offerStep(flight, next, now);
    if (flight.stepsLeft > 0 || !flight.live) return;
    this.#land(flight);
    this.#outbox.push({ kind: 'respond', request: flight.request, source: 'execution' });
  }

  /** Once, whatever its other steps still do. */
  #reject(flight: Flight, reason: string): void {
    if (!flight.live) return;
    this.#land(flight);
    this.#outbox.push({ kind: 'reject', request: flight.request, reason });
  }

  #land(flight: Flight): void {
    flight.live = false;
    this.#flights.delete(flight.request);
    if (!flight.started) this.#unstarted--;
  }

  /** What of a model's action is to be seen outside. */
  #translate(action: Action, now: Nanos): Action | undefined {
    switch (action.kind) {
      case 'execute':
        for (const request of action.requests) this.#starts((request as StepRequest).flight);
        return action;
      case 'respond':
        this.#stepDone(action.request as StepRequest, now);
        return undefined;
      case 'reject':
        this.#reject((action.request as StepRequest).flight, action.reason);
        return undefined;
      default:
        return action;
    }
  }

  #starts(flight: Flight): void {
    if (flight.live && !flight.started) this.#unstarted--;
    flight.started = true;
  }
}
