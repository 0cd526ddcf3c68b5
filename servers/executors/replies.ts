import { ProtocolError } from '../protocol/errors.js';
import type { InferRequest, ServerTimings, Tensor } from '../protocol/index.js';
import { emptyTimings } from '../protocol/timings.js';
import type { ExecutionPart } from '../runtimes/index.js';
import type { ResponseSource } from '../strategies/index.js';
import type { Job } from './job.js';

/** Who counts. Durations in ns. */
export interface ExecutorStatistics {
  requestSucceeded(rows: number, timings: ServerTimings): void;
  requestFailed(ns: number): void;
  executionEnded(
    rows: number,
    inputNs: number,
    inferNs: number,
    outputNs: number,
    parts?: readonly ExecutionPart[],
  ): void;
}

/** The model that a request is of. */
interface AnsweringModel {
  readonly modelVersion: string;
  readonly statistics: ExecutorStatistics;
}

/**
 * Answers requests, each once: composes response and timings, counts, calls `done`. A request whose client went away
 * while it ran counts as well: it did the work.
 */
export class Replies {
  readonly #modelOf: (request: InferRequest) => AnsweringModel;
  readonly #now: () => number;
  #outstanding = 0;
  #waiters: (() => void)[] = [];

  /** `originNs`: when the server started; undefined: arrivals are not told. */
  constructor(
    modelOf: (request: InferRequest) => AnsweringModel,
    now: () => number,
    private readonly originNs: number | undefined,
  ) {
    this.#modelOf = modelOf;
    this.#now = now;
  }

  /** A request came in. */
  expect(): void {
    this.#outstanding++;
  }

  /** Requests that are neither answered nor dropped. */
  outstanding(): number {
    return this.#outstanding;
  }

  /** Resolves when none is outstanding. */
  drained(): Promise<void> {
    if (this.#outstanding === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** With what its execution left. */
  succeed(job: Job): void {
    const { result } = job;
    if (job.settled) return;
    if (result === undefined) {
      this.fail(job, new ProtocolError('INTERNAL', 'the strategy answered a request that was not executed'));
      return;
    }
    const { formedNs, startNs, endNs, rows, number } = result.execution;
    const timings = emptyTimings();
    timings.receiveNs = job.arrivedNs - job.receivedNs;
    if (this.originNs !== undefined) timings.arrivalNs = job.receivedNs - this.originNs;
    // What earlier executions did of it; between them it waited.
    const { inputNs = 0, inferNs = 0, outputNs = 0 } = job.progress ?? {};
    timings.queueNs = formedNs - job.arrivedNs - (inputNs + inferNs + outputNs);
    timings.computeInputNs = startNs - formedNs + inputNs;
    timings.computeInferNs = endNs - startNs + inferNs;
    timings.computeOutputNs = this.#now() - endNs + outputNs;
    timings.batchSize = rows;
    timings.executionId = number;
    this.#answer(job, result.outputs, timings);
  }

  /** Without an execution of its own: all the time is queueing, and the parameter `servemark_source` says so. */
  answerFrom(source: ResponseSource, job: Job, outputs: readonly Tensor[] | undefined): void {
    if (job.settled) return;
    if (outputs === undefined) {
      this.fail(job, new ProtocolError('INTERNAL', `nothing is kept to answer this request from ${source}`));
      return;
    }
    const timings = emptyTimings();
    timings.receiveNs = job.arrivedNs - job.receivedNs;
    if (this.originNs !== undefined) timings.arrivalNs = job.receivedNs - this.originNs;
    timings.queueNs = this.#now() - job.arrivedNs;
    this.#answer(job, outputs, timings, { servemark_source: source });
  }

  fail(job: Job, error: ProtocolError): void {
    if (job.settled) return;
    this.#modelOf(job.request).statistics.requestFailed(this.#now() - job.arrivedNs);
    this.#settle(job)?.({ ok: false, error });
  }

  /** Its client went away before it was executed. */
  drop(job: Job): void {
    if (!job.settled) this.#settle(job);
  }

  #answer(
    job: Job,
    outputs: readonly Tensor[],
    timings: ServerTimings,
    parameters?: Readonly<Record<string, string>>,
  ): void {
    const { modelVersion, statistics } = this.#modelOf(job.request);
    statistics.requestSucceeded(job.rows, timings);
    const { modelName, id } = job.request;
    this.#settle(job)?.({
      ok: true,
      response: { modelName, modelVersion, id, parameters, outputs },
      timings,
    });
  }

  /** Takes the request off the books; returns whom to answer. */
  #settle(job: Job): Job['done'] {
    const { done } = job;
    job.settled = true;
    job.done = undefined;
    job.result = undefined;
    job.progress = undefined;
    if (--this.#outstanding === 0) this.#tellWaiters();
    return done;
  }

  #tellWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
