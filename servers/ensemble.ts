import { nowNs } from '../results/clock.js';
import { type Problem, UserError } from '../results/errors.js';
import type { HostedModel } from './hosted-model.js';
import type { ModelTable } from './model-table.js';
import { modelConfig } from './protocol/config.js';
import { ProtocolError } from './protocol/errors.js';
import { GraphRun, graphInterface } from './protocol/graph.js';
import type { InferenceService, InferOutcome, InferRequest, InferTicket, ServerTimings } from './protocol/index.js';
import { emptyTimings } from './protocol/timings.js';
import { requestValidator } from './protocol/validate.js';
import type { EnsembleSpec } from './spec.js';
import { StatisticsCollector } from './statistics.js';

/**
 * A graph of the server's models as a model of its own: each step is queued in its model, which has its own strategy and
 * instances, as soon as its inputs exist; what passes between steps never leaves the process. Its rules are those of the
 * strategy `triton-ensemble`, which simulates them. Throws UserError where a step's model or a tensor does not exist.
 * Source: Triton ensemble scheduler.
 */
export function ensembleOf(spec: EnsembleSpec, table: ModelTable, place: string): HostedModel {
  const find = (name: string) => table.versionsOf(name).at(-1)?.metadata;
  const { inputs, outputs, problems } = graphInterface(
    spec,
    find,
    table.all().map((model) => model.name),
  );
  if (problems.length > 0)
    throw new UserError(problems.map(({ at, ...rest }): Problem => ({ place: `${place}.ensemble.${at}`, ...rest })));
  return new Ensemble(spec, table, { name: spec.name, platform: 'ensemble', inputs, outputs });
}

const VERSION = '1';

class Ensemble implements HostedModel {
  readonly name: string;
  readonly version = VERSION;
  readonly config: HostedModel['config'];
  readonly #statistics: StatisticsCollector;
  readonly #check: (request: InferRequest) => number;
  readonly #outputs: readonly string[];
  readonly #limit: number;
  /** In order of arrival: they wait for one of those under way to end. */
  readonly #door: Flight[] = [];
  #inFlight = 0;
  #stopping: string | undefined;
  #waiters: (() => void)[] = [];

  constructor(
    readonly spec: EnsembleSpec,
    readonly table: ModelTable,
    readonly metadata: HostedModel['metadata'],
  ) {
    this.name = spec.name;
    this.config = modelConfig(metadata, { backend: 'ensemble', maxBatchSize: 0, instances: [] });
    this.#statistics = new StatisticsCollector(spec.name, VERSION);
    this.#check = requestValidator(metadata, 0);
    this.#outputs = metadata.outputs.map(({ name }) => name);
    this.#limit = spec.maxInflightRequests || Number.POSITIVE_INFINITY;
  }

  ready(): boolean {
    return (
      this.#stopping === undefined && this.spec.steps.every(({ model }) => this.table.versionsOf(model).at(-1)?.ready())
    );
  }

  statistics(): ReturnType<HostedModel['statistics']> {
    return this.#statistics.snapshot();
  }

  waiting(): number {
    return this.#door.length;
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    const arrivedNs = nowNs();
    try {
      if (this.#stopping !== undefined)
        throw new ProtocolError('UNAVAILABLE', `model "${this.name}" is not ready: ${this.#stopping}`, 'not-ready');
      this.#check(request);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#statistics.requestFailed(0);
      done({ ok: false, error });
      return { cancel: () => {} };
    }
    const flight = new Flight(this.spec, request, receivedNs, arrivedNs, done);
    this.#door.push(flight);
    this.#admit();
    return { cancel: () => this.#cancel(flight) };
  }

  stopAccepting(why: string): void {
    this.#stopping = why;
  }

  drained(): Promise<void> {
    if (this.#inFlight + this.#door.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Its models are closed by themselves. */
  async close(): Promise<void> {}

  #admit(): void {
    while (this.#inFlight < this.#limit && this.#door.length > 0) {
      const flight = this.#door.shift()!;
      this.#inFlight++;
      this.#advance(flight);
    }
  }

  #advance(flight: Flight): void {
    for (const { step, request } of flight.run.ready()) {
      if (flight.landed) return;
      const ticket = this.table.infer(request, nowNs(), (outcome) => this.#answered(flight, step, outcome));
      if (!flight.landed) flight.tickets.set(step, ticket);
    }
  }

  #answered(flight: Flight, step: number, outcome: InferOutcome): void {
    flight.tickets.delete(step);
    // It was answered or cancelled; what its other steps still do is nobody's.
    if (flight.landed) return;
    if (!outcome.ok) {
      this.#statistics.requestFailed(nowNs() - flight.arrivedNs);
      this.#land(flight, { ok: false, error: outcome.error });
      return;
    }
    flight.tell(step, outcome.timings);
    if (!flight.run.answered(step, outcome.response.outputs)) {
      this.#advance(flight);
      return;
    }
    const rows = Math.max(1, flight.request.inputs[0]?.shape[0] ?? 1);
    const timings = flight.timings(step, rows);
    this.#statistics.requestSucceeded(rows, timings);
    this.#statistics.executionEnded(rows, timings.computeInputNs, timings.computeInferNs, timings.computeOutputNs);
    const { id } = flight.request;
    const outputs = flight.run.outputs(this.#outputs);
    this.#land(flight, { ok: true, response: { modelName: this.name, modelVersion: VERSION, id, outputs }, timings });
  }

  #land(flight: Flight, outcome: InferOutcome): void {
    flight.landed = true;
    this.#inFlight--;
    flight.done(outcome);
    this.#admit();
    this.#tellWaiters();
  }

  #cancel(flight: Flight): void {
    if (flight.landed) return;
    const waits = this.#door.indexOf(flight);
    flight.landed = true;
    if (waits >= 0) this.#door.splice(waits, 1);
    else {
      this.#inFlight--;
      for (const ticket of flight.tickets.values()) ticket.cancel();
      this.#admit();
    }
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    if (this.#inFlight + this.#door.length > 0) return;
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}

/** A request on its way through the graph. */
class Flight {
  readonly run: GraphRun;
  readonly tickets = new Map<number, InferTicket>();
  landed = false;
  /** By step: what it and those before it took, along the way that was the last to be done. */
  readonly #path = new Map<number, ServerTimings>();
  readonly #order: number[] = [];

  constructor(
    spec: EnsembleSpec,
    readonly request: InferRequest,
    readonly receivedNs: number,
    readonly arrivedNs: number,
    readonly done: Parameters<InferenceService['infer']>[2],
  ) {
    this.run = new GraphRun(spec, request);
  }

  tell(step: number, own: ServerTimings): void {
    const before = this.run.before(step);
    const last = this.#order.findLast((each) => before.includes(each));
    const path = last === undefined ? emptyTimings() : this.#path.get(last)!;
    this.#order.push(step);
    this.#path.set(step, {
      ...own,
      computeInputNs: path.computeInputNs + own.computeInputNs,
      computeInferNs: path.computeInferNs + own.computeInferNs,
      computeOutputNs: path.computeOutputNs + own.computeOutputNs,
    });
  }

  /** Of the whole: computing is that of the longest way, and all else was waiting, in queues and at the door. */
  timings(last: number, batchSize: number): ServerTimings {
    const path = this.#path.get(last)!;
    const computing = path.computeInputNs + path.computeInferNs + path.computeOutputNs;
    return {
      ...path,
      receiveNs: this.arrivedNs - this.receivedNs,
      queueNs: Math.max(0, nowNs() - this.arrivedNs - computing),
      serialiseNs: 0,
      arrivalNs: undefined,
      totalNs: undefined,
      batchSize,
    };
  }
}
