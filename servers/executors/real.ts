import { ProtocolError } from '../protocol/errors.js';
import type { InferOutcome, InferRequest, InferTicket, Tensor } from '../protocol/index.js';
import type { ExecutionPart } from '../runtimes/index.js';
import {
  type Action,
  type Execute,
  Limiter,
  type LimiterPlace,
  type Nanos,
  type ResponseSource,
  rowsOf,
  type Strategy,
  type StrategyRequest,
} from '../strategies/index.js';
import { type ExecutorClock, realClock } from './alarm.js';
import type { Batching } from './batching.js';
import type { Batch, BatchOutcome, Instance, StageValues } from './instance.js';
import { type Hints, Job, type Running } from './job.js';
import { KeptResults } from './kept-results.js';
import { refusal } from './refusals.js';
import { type ExecutorStatistics, Replies } from './replies.js';

/** A model that the instances have loaded. */
export interface ExecutedModel {
  readonly batching: Batching;
  readonly modelVersion: string;
  readonly statistics: ExecutorStatistics;
}

export interface RealExecutorOptions extends ExecutedModel {
  readonly strategy: Strategy;
  readonly instances: readonly Instance[];
  /** Models that the instances have loaded besides, by name. */
  readonly others?: ReadonlyMap<string, ExecutedModel> | undefined;
  readonly clock?: ExecutorClock | undefined;
  /** The strategy's promise (strategies/contract.ts): requests are told that they are `consumed`. */
  readonly executesOnce?: boolean | undefined;
  /** Memory for answers from a cache; default 256 MiB. */
  readonly keptBytes?: number | undefined;
  /**
   * One of several replicas: its execution ids are its own among all of theirs, and it does not tell when it saw a request,
   * for there is no instant from which all of them count.
   */
  readonly replica?: number | undefined;
  /** Of its strategy. */
  readonly limiter?: LimiterPlace | undefined;
  /** Absent: it is the server's only one. */
  readonly shared?: Shared | undefined;
  /** One line about something unusual: a strategy's action that this executor cannot carry out. */
  readonly onEvent?: ((text: string) => void) | undefined;
}

/** What the executors of a server's models have in common. */
export interface Shared {
  /** From when arrivals count, by the executors' clock. */
  readonly originNs: number;
  /** Resources and turns of those of its models whose strategies say so. */
  readonly limiter: Limiter;
  /** Executions of one server have different numbers, from 1, whichever model they are of. */
  nextExecution(): number;
}

/** Ids are 32 bit: room for 256 replicas. */
const EXECUTIONS_OF_A_REPLICA = 2 ** 24;

export function sharedFrom(originNs: number, replica = 0): Shared {
  let executions = replica * EXECUTIONS_OF_A_REPLICA;
  return { originNs, limiter: new Limiter(), nextExecution: () => ++executions };
}

/** An outcome that came and waits for its turn. */
interface Completion {
  readonly running: Running;
  readonly outcome: BatchOutcome;
}

/**
 * Carries out a strategy's decisions with real instances. The order of events is the specification's: completions, then
 * offers, then polls until there is no action; requests that are read in one turn of the event loop are all offered
 * before any is dispatched. One liberty: the next execution is dispatched before the last one's requests are answered,
 * so that the instance does not wait for the responses to be written; no strategy can see the difference.
 */
export class RealExecutor {
  readonly #strategy: Strategy;
  readonly #instances: readonly Instance[];
  readonly #own: ExecutedModel;
  readonly #others: ReadonlyMap<string, ExecutedModel>;
  readonly #replies: Replies;
  readonly #clock: ExecutorClock;
  readonly #kept: KeptResults;
  readonly #onEvent: (text: string) => void;
  readonly #executesOnce: boolean;
  readonly #originNs: number;
  /** What runs on each instance. */
  readonly #running: (Running | undefined)[];
  #completions: Completion[] = [];
  /** To be answered once the instances have work again: with what its execution left, or as the function does it. */
  #answers: (Job | (() => void))[] = [];
  readonly #shared: Shared;
  readonly #limiter: LimiterPlace | undefined;
  #requests = 0;
  #pumping = false;
  #pumpIsDue = false;

  constructor(options: RealExecutorOptions) {
    this.#strategy = options.strategy;
    this.#instances = options.instances;
    this.#own = options;
    this.#others = options.others ?? new Map();
    this.#clock = options.clock ?? realClock();
    this.#shared = options.shared ?? sharedFrom(this.#clock.now(), options.replica);
    this.#replies = new Replies(
      (request) => this.#modelOf(request),
      () => this.#clock.now(),
      options.replica === undefined ? this.#shared.originNs : undefined,
    );
    this.#kept = new KeptResults(options.keptBytes ?? 256 * 1024 ** 2);
    this.#executesOnce = options.executesOnce ?? false;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#originNs = this.#clock.now();
    this.#running = options.instances.map(() => undefined);
    this.#limiter = options.limiter;
    if (this.#limiter) this.#limiter.wake = () => this.#pumpSoon();
  }

  /** Queue a validated request. `done` is called once, at once where the strategy refuses it, unless it is cancelled. */
  submit(
    request: InferRequest,
    rows: number,
    hints: Hints,
    receivedNs: number,
    done: (outcome: InferOutcome) => void,
  ): InferTicket {
    const arrivedNs = this.#clock.now();
    const at = this.#strategyTime(arrivedNs);
    const id = String(++this.#requests);
    const shapeKey = this.#modelOf(request).batching.shapeKeyOf(request);
    const job = new Job(id, at, rows, shapeKey, hints, request, receivedNs, arrivedNs, done, this);
    this.#replies.expect();
    const reason = this.#strategy.offer(job, at);
    if (reason !== undefined) this.#replies.fail(job, refusal(reason));
    else this.#pumpSoon();
    return job;
  }

  /** One that waits is dropped; one that runs is ignored when it ends, but counts: it did the work. */
  cancel(job: Job): void {
    if (job.settled) return;
    job.done = undefined;
    if (!this.#strategy.cancel(job, this.#now())) return;
    this.#replies.drop(job);
    this.#pumpSoon();
  }

  /** Requests that are neither answered nor cancelled. */
  outstanding(): number {
    return this.#replies.outstanding();
  }

  /** Requests that wait for their first execution. */
  waiting(): number {
    return this.#strategy.waiting();
  }

  /** Resolves when no request is outstanding. */
  drained(): Promise<void> {
    return this.#replies.drained();
  }

  /** Stops the clock and the instances. */
  async close(): Promise<void> {
    this.#limiter?.leave();
    this.#clock.close();
    await Promise.all(this.#instances.map((instance) => instance.close()));
  }

  #now(): Nanos {
    return this.#strategyTime(this.#clock.now());
  }

  #strategyTime(ns: number): Nanos {
    return Math.floor(ns - this.#originNs);
  }

  #pumpSoon(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    this.#clock.soon(this.#pumpNow);
  }

  readonly #pumpNow = (): void => {
    this.#pumpIsDue = false;
    this.#pump();
  };

  /** Until nothing is left to do now. Inline instances complete inside of it. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    do {
      this.#finishCompleted();
      for (let action = this.#poll(); action; action = this.#poll()) this.#carryOut(action);
    } while (this.#completions.length > 0);
    this.#pumping = false;
    const wake = this.#strategy.wakeAt();
    if (wake !== undefined) this.#clock.wakeAt(this.#originNs + wake, this.#pumpNow);
    this.#giveAnswers();
  }

  #poll(): Action | undefined {
    return this.#strategy.poll(this.#now());
  }

  #giveAnswers(): void {
    const answers = this.#answers;
    if (answers.length === 0) return;
    this.#answers = [];
    for (const answer of answers)
      if (answer instanceof Job) this.#replies.succeed(answer);
      else answer();
  }

  #carryOut(action: Action): void {
    if (action.kind === 'execute') this.#execute(action);
    else if (action.kind === 'respond') this.#respond(action.request as Job, action.source);
    else if (action.kind === 'kill') this.#kill(action.instance);
    else if (action.kind === 'reject') {
      const { request, reason } = action;
      this.#later(() => this.#replies.fail(request as Job, refusal(reason)));
    } else
      this.#onEvent(`the strategy asked to ${action.kind}; this server's instances are fixed, so nothing was done`);
  }

  #later(answer: Job | (() => void)): void {
    this.#answers.push(answer);
  }

  #execute(action: Execute): void {
    const formedNs = this.#clock.now();
    const rows = rowsOf(action.requests);
    const running: Running = {
      action,
      rows,
      computedRows: Math.max(rows, action.paddedRows ?? action.rows),
      number: this.#shared.nextExecution(),
      formedNs,
      startNs: 0,
      endNs: 0,
      killed: false,
    };
    this.#running[action.instance] = running;
    const batch = this.#batchOf(running);
    if (this.#executesOnce) for (const request of action.requests) requestOf(request).consumed?.();
    this.#instances[action.instance]!.execute(
      batch,
      (outcome) => {
        this.#completions.push({ running, outcome });
        this.#pump();
      },
      action.killable ? (values) => passed(action.requests[0] as Job, values) : undefined,
    );
  }

  #batchOf({ action, computedRows: rows }: Running): Batch {
    const requests = action.requests.map(requestOf);
    const [first] = requests as [InferRequest];
    const { batching } = this.#modelOf(first);
    const model = this.#others.has(first.modelName) ? first.modelName : undefined;
    const outputs = batching.outputsFor(requests);
    const stages = stagesToRun(action, batching.stages);
    if (stages === undefined) return { inputs: batching.join(requests, rows), rows, outputs, model };
    const { at, values } = (action.requests[0] as Job).progress ?? { at: 0, values: batching.join(requests, rows) };
    return { inputs: values, rows, outputs, model, stages: [at, stages[1]], checkpoints: action.killable };
  }

  #modelOf(request: InferRequest): ExecutedModel {
    return this.#others.get(request.modelName) ?? this.#own;
  }

  #finishCompleted(): void {
    if (this.#completions.length === 0) return;
    const completions = this.#completions.sort((a, b) => a.running.action.instance - b.running.action.instance);
    this.#completions = [];
    for (const { running, outcome } of completions) this.#finish(running, outcome);
  }

  #finish(running: Running, outcome: BatchOutcome): void {
    // A killed execution is over for the strategy since it killed it.
    if (running.killed) return;
    const { action } = running;
    this.#running[action.instance] = undefined;
    const error = outcome.ok ? this.#distribute(running, outcome) : failureOf(outcome);
    if (error === undefined) {
      this.#strategy.finished(action, this.#now(), true);
      return;
    }
    if (!action.shadow)
      for (const request of action.requests) this.#later(() => this.#replies.fail(request as Job, error));
    // A dead worker's instance counts as busy until it is back.
    this.#instances[action.instance]!.whenReady(() => {
      this.#strategy.finished(action, this.#now(), false);
      this.#pump();
    });
  }

  /** Gives each request its share of the outputs. Answers the error where they can't be shared out. */
  #distribute(running: Running, outcome: Extract<BatchOutcome, { ok: true }>): ProtocolError | undefined {
    const { action, formedNs } = running;
    running.startNs = outcome.startNs;
    running.endNs = outcome.endNs;
    const { batching, statistics } = this.#modelOf(requestOf(action.requests[0]!));
    const inStages = stagesToRun(action, batching.stages);
    if (inStages && inStages[1] < batching.stages) {
      this.#keepProgress(running, outcome, inStages[1]);
      return undefined;
    }
    let each: Tensor[][];
    try {
      each = split(batching, running, outcome);
    } catch (error) {
      return error as ProtocolError;
    }
    const { startNs, endNs } = outcome;
    // A shadow's rows are nobody's inferences: counting it would break Σ size × count = inference_count.
    if (action.shadow) return undefined;
    const outputNs = this.#clock.now() - endNs;
    // Executions of single stages count as one, the last.
    const before = (action.requests[0] as Job).progress ?? NO_PROGRESS;
    statistics.executionEnded(
      running.rows,
      startNs - formedNs + before.inputNs,
      endNs - startNs + before.inferNs,
      outputNs + before.outputNs,
      inStages ? stageParts(action.requests[0] as Job) : outcome.parts,
    );
    for (let i = 0; i < each.length; i++) this.#receive(action.requests[i] as Job, each[i]!, running);
    return undefined;
  }

  /** The values after some stages stay here: whatever becomes of the instance, the request can be gone on with. */
  #keepProgress(running: Running, outcome: Extract<BatchOutcome, { ok: true }>, at: number): void {
    const job = running.action.requests[0] as Job;
    const before = job.progress ?? NO_PROGRESS;
    job.progress = {
      at,
      values: outcome.outputs,
      inputNs: before.inputNs + outcome.startNs - running.formedNs,
      inferNs: before.inferNs + outcome.endNs - outcome.startNs,
      outputNs: before.outputNs + this.#clock.now() - outcome.endNs,
      executions: before.executions + 1,
    };
  }

  #receive(job: Job, outputs: Tensor[], running: Running): void {
    job.result = { outputs, execution: running };
    if (job.key !== undefined) this.#kept.put(job.key, outputs);
    if (!running.action.hold) this.#later(job);
  }

  #respond(job: Job, source: ResponseSource): void {
    if (source === 'execution') {
      this.#later(job);
      return;
    }
    const outputs =
      source === 'default'
        ? this.#modelOf(job.request).batching.defaultOutputs(job.request, job.rows)
        : this.#kept.get(job.key ?? '');
    this.#later(() => this.#replies.answerFrom(source, job, outputs));
  }

  #kill(instance: number): void {
    const running = this.#running[instance];
    if (running === undefined) return;
    running.killed = true;
    for (const request of running.action.requests) (request as Job).kills++;
    this.#running[instance] = undefined;
    this.#instances[instance]!.kill();
  }
}

/** Undefined where the model runs whole: all its stages at once, and nobody wants to go on with a part of it. */
function stagesToRun({ stages, hold, killable }: Execute, cut: number): Execute['stages'] {
  if (stages === undefined || cut === 1) return undefined;
  return hold || killable || stages[0] > 0 ? stages : undefined;
}

/** A stage of an execution that may be killed has ended. */
function passed(job: Job, { at, values }: StageValues): void {
  job.progress = { ...NO_PROGRESS, ...job.progress, at, values };
}

const NO_PROGRESS = { inputNs: 0, inferNs: 0, outputNs: 0, executions: 0 };

/** What the execution in stages of a request was made of. */
function stageParts({ progress, kills }: Job): ExecutionPart[] {
  return [
    { name: 'executions of stages', unit: 'count', value: (progress?.executions ?? 0) + 1 },
    { name: 'kills', unit: 'count', value: kills },
  ];
}

function split(
  batching: Batching,
  { action, computedRows }: Running,
  outcome: Extract<BatchOutcome, { ok: true }>,
): Tensor[][] {
  const requests = action.requests.map(requestOf);
  const rowsEach = action.requests.map((request) => request.rows);
  return batching.split(outcome.outputs, requests, rowsEach, computedRows);
}

function requestOf(request: StrategyRequest): InferRequest {
  return (request as Job).request;
}

function failureOf(outcome: Extract<BatchOutcome, { ok: false }>): ProtocolError {
  const code = outcome.reason === 'execution-failed' ? 'INTERNAL' : 'UNAVAILABLE';
  return new ProtocolError(code, outcome.message, outcome.reason);
}
