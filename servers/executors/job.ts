import type { InferOutcome, InferRequest, InferTicket, Tensor } from '../protocol/index.js';
import type { Execute, Nanos, StrategyRequest } from '../strategies/index.js';
import type { StageValues } from './instance.js';

/** What the client told of its request besides the tensors; from the request's parameters. */
export interface Hints
  extends Pick<StrategyRequest, 'priority' | 'timeoutNs' | 'key' | 'client' | 'class' | 'start' | 'end'> {
  /** Relative to arrival, unlike a strategy's. */
  readonly deadlineNs?: Nanos | undefined;
}

/** What an execution left for one of its requests. */
export interface Result {
  readonly outputs: readonly Tensor[];
  readonly execution: Running;
}

/** An execution on its way. Times are nowNs(). */
export interface Running {
  readonly action: Execute;
  /** Of its requests; more than the action's where the strategy counts every request as one row. */
  readonly rows: number;
  /** With the padding. */
  readonly computedRows: number;
  /** From 1. */
  readonly number: number;
  readonly formedNs: number;
  startNs: number;
  endNs: number;
  killed: boolean;
}

/** What earlier executions did of a request whose stages are executed a few at a time. Durations of those that ended well. */
export interface Progress extends StageValues {
  readonly inputNs: number;
  readonly inferNs: number;
  readonly outputNs: number;
  readonly executions: number;
}

/**
 * A request in the server: what the strategy sees of it, what the executor keeps with it and the frontend's ticket, in one
 * object, so that no map is needed. `done` is gone once it is answered.
 */
export class Job implements StrategyRequest, InferTicket {
  readonly id: string;
  readonly at: Nanos;
  readonly rows: number;
  readonly model: string | undefined;
  readonly shapeKey: string | undefined;
  readonly priority: number | undefined;
  readonly timeoutNs: Nanos | undefined;
  readonly deadlineNs: Nanos | undefined;
  readonly key: string | undefined;
  readonly client: string | undefined;
  readonly class: 'rt' | 'be' | undefined;
  readonly start: boolean | undefined;
  readonly end: boolean | undefined;
  readonly request: InferRequest;
  /** First byte, and decoded. */
  readonly receivedNs: number;
  readonly arrivedNs: number;
  /** Undefined once answered, refused or cancelled. */
  done: ((outcome: InferOutcome) => void) | undefined;
  result: Result | undefined;
  /** Its first stages are done. */
  progress: Progress | undefined;
  kills = 0;
  settled = false;

  constructor(
    id: string,
    at: Nanos,
    rows: number,
    shapeKey: string | undefined,
    hints: Hints,
    request: InferRequest,
    receivedNs: number,
    arrivedNs: number,
    done: (outcome: InferOutcome) => void,
    private readonly owner: { cancel(job: Job): void },
  ) {
    this.id = id;
    this.at = at;
    this.rows = rows;
    this.model = request.modelName;
    this.shapeKey = shapeKey;
    this.priority = hints.priority;
    this.timeoutNs = hints.timeoutNs;
    this.deadlineNs = hints.deadlineNs === undefined ? undefined : at + hints.deadlineNs;
    this.key = hints.key;
    this.client = hints.client;
    this.class = hints.class;
    this.start = hints.start;
    this.end = hints.end;
    this.request = request;
    this.receivedNs = receivedNs;
    this.arrivedNs = arrivedNs;
    this.done = done;
  }

  cancel(): void {
    this.owner.cancel(this);
  }
}
