import { nowNs } from '../../results/clock.js';
import { saidLast, UserError } from '../../results/errors.js';
import type {
  Batch,
  BatchOutcome,
  Body,
  BodyEvents,
  FromWorker,
  Instance,
  InstanceEvents,
  InstanceMetadata,
  InstancePlace,
  InstanceSpec,
  InstanceState,
  StageValues,
} from './instance.js';

const FIRST_BACK_OFF_MS = 100;
const LAST_BACK_OFF_MS = 5000;
/** Starts that fail in a row until the instance counts as failed. */
const FAILED_STARTS = 3;

interface Pending {
  readonly n: number;
  readonly batch: Batch;
  readonly done: (outcome: BatchOutcome) => void;
  readonly onStage: ((values: StageValues) => void) | undefined;
  /** When it was handed to the worker. */
  sentNs: number;
  killed: boolean;
}

/**
 * An instance in a thread or process of its own. A worker that dies fails what it ran and is started again after 100 ms,
 * 200 ms … 5 s, until an execution ends well; what is given to it in the meantime waits.
 */
export class WorkerInstance implements Instance {
  readonly id: number;
  readonly started: Promise<InstanceMetadata>;
  readonly #spec: InstanceSpec;
  readonly #startBody: (events: BodyEvents) => Body;
  readonly #events: InstanceEvents;
  #body: Body | undefined;
  #state: InstanceState = 'starting';
  #place: InstancePlace | undefined;
  #count = 0;
  /** In order: those with a worker first, then those that wait for one. */
  #pending: Pending[] = [];
  #waiters: (() => void)[] = [];
  /** Starts in a row that did not come up. */
  #failedStarts = 0;
  /** Deaths since the last execution that ended well. */
  #deaths = 0;
  #everReady = false;
  /** The worker was killed, and its end has not been told yet. */
  #killed = false;
  #restart: NodeJS.Timeout | undefined;
  #refusal: Error | undefined;
  #resolveStarted!: (metadata: InstanceMetadata) => void;
  #rejectStarted!: (error: Error) => void;

  constructor(spec: InstanceSpec, startBody: (events: BodyEvents) => Body, events: InstanceEvents) {
    this.id = spec.id;
    this.#spec = spec;
    this.#startBody = startBody;
    this.#events = events;
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    this.#begin();
  }

  state(): InstanceState {
    return this.#state;
  }

  place(): InstancePlace | undefined {
    return this.#place;
  }

  pending(): number {
    return this.#pending.length;
  }

  execute(batch: Batch, done: (outcome: BatchOutcome) => void, onStage?: (values: StageValues) => void): void {
    if (this.#state === 'closed') {
      done(failure('closed', 'the server is stopping'));
      return;
    }
    const pending: Pending = { n: ++this.#count, batch, done, onStage, sentNs: 0, killed: false };
    this.#pending.push(pending);
    if (this.#state === 'ready') this.#send(pending);
  }

  whenReady(callback: () => void): void {
    if (this.#state === 'ready') callback();
    else this.#waiters.push(callback);
  }

  kill(): void {
    const running = this.#pending[0];
    if (running === undefined || running.sentNs === 0) return;
    running.killed = true;
    if (!this.#body?.kill()) return;
    // What is given to it from now on waits for the next worker.
    this.#state = 'starting';
    this.#killed = true;
  }

  async close(): Promise<void> {
    const body = this.#body;
    this.#state = 'closed';
    this.#waiters = [];
    clearTimeout(this.#restart);
    this.#failUnsent();
    body?.post({ kind: 'stop' }, []);
    await body?.ended();
  }

  #begin(): void {
    this.#state = this.#failedStarts >= FAILED_STARTS ? 'failed' : 'starting';
    this.#refusal = undefined;
    this.#body = this.#startBody({
      message: (message) => this.#receive(message),
      exit: (how, lastLines) => this.#exited(how, lastLines),
      line: this.#events.line,
    });
    this.#body.post({ kind: 'start', spec: this.#spec }, []);
  }

  #send(pending: Pending): void {
    pending.sentNs = nowNs();
    this.#body!.post(
      { kind: 'execute', n: pending.n, batch: pending.batch },
      pending.batch.inputs.map((input) => input.buffer),
    );
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'ready') this.#ready(message.metadata, message.tid);
    else if (message.kind === 'refused')
      this.#refusal = message.problems ? new UserError(message.problems) : new Error(message.error);
    else if (message.kind === 'stage') this.#stageEnded(message.n, message.values);
    else this.#ended(message);
  }

  #stageEnded(n: number, values: StageValues): void {
    const pending = this.#pending[0];
    if (pending?.n === n && !pending.killed) pending.onStage?.(values);
  }

  #ready(metadata: InstanceMetadata, tid: number | undefined): void {
    this.#place = { pid: this.#body!.pid, tid };
    if (this.#state === 'closed') return;
    if (this.#everReady && this.#deaths > 0) this.#events.event(`instance ${this.id} is back`);
    this.#state = 'ready';
    this.#everReady = true;
    this.#failedStarts = 0;
    this.#resolveStarted(metadata);
    for (const pending of this.#pending) this.#send(pending);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  #ended(message: Extract<FromWorker, { kind: 'done' | 'threw' }>): void {
    const pending = this.#pending[0];
    if (pending === undefined || pending.n !== message.n) return;
    this.#pending.shift();
    if (pending.killed) pending.done(failure('killed', 'killed by the strategy'));
    else if (message.kind === 'threw') pending.done(failure('execution-failed', message.error));
    else {
      this.#deaths = 0;
      pending.done(this.#outcome(message, pending.sentNs));
    }
  }

  /**
   * A process's clock is not ours: only its durations count. What the hand-over took besides is taken as half each way;
   * the sum is exact.
   */
  #outcome(message: Extract<FromWorker, { kind: 'done' }>, sentNs: number): BatchOutcome {
    const { outputs, receivedNs, startNs, endNs, parts } = message;
    if (this.#body!.sameClock) return { ok: true, outputs, startNs, endNs, parts };
    const inside = endNs - receivedNs;
    const oneWay = Math.max(0, nowNs() - sentNs - inside) / 2;
    const start = sentNs + oneWay + (startNs - receivedNs);
    return { ok: true, outputs, startNs: start, endNs: start + (endNs - startNs), parts };
  }

  #exited(how: string, lastLines: readonly string[]): void {
    const wasReady = this.#state === 'ready';
    const closed = this.#state === 'closed';
    this.#body = undefined;
    this.#place = undefined;
    if (!closed) this.#state = 'starting';
    const said = saidLast(lastLines, 3);
    this.#failSent(`the worker of instance ${this.id} died (${how})${said}`);
    if (closed) return;
    if (this.#killed) {
      this.#killed = false;
      this.#begin();
      return;
    }
    const refusal = this.#refusal ?? new Error(`the worker of instance ${this.id} died (${how})${said}`);
    if (!this.#everReady) {
      this.#state = 'closed';
      this.#rejectStarted(refusal);
      return;
    }
    if (!wasReady) this.#failedStarts++;
    this.#retry(wasReady ? `died (${how})${said}` : `did not start: ${refusal.message}`);
  }

  #retry(what: string): void {
    if (this.#failedStarts >= FAILED_STARTS) {
      this.#state = 'failed';
      this.#failUnsent('worker-died', `instance ${this.id} does not start: ${what}`);
    }
    const delay = Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** this.#deaths++);
    this.#events.event(`instance ${this.id} ${what}; starting it again in ${delay} ms`);
    this.#restart = setTimeout(() => this.#begin(), delay);
  }

  /** What the dead worker had. */
  #failSent(message: string): void {
    const sent = this.#pending.filter((pending) => pending.sentNs > 0);
    this.#pending = this.#pending.filter((pending) => pending.sentNs === 0);
    for (const { done, killed } of sent)
      done(killed ? failure('killed', 'killed by the strategy') : failure('worker-died', message));
  }

  #failUnsent(reason: 'closed' | 'worker-died' = 'closed', message = 'the server is stopping'): void {
    const unsent = this.#pending.filter((pending) => pending.sentNs === 0);
    this.#pending = this.#pending.filter((pending) => pending.sentNs > 0);
    for (const { done } of unsent) done(failure(reason, message));
  }
}

function failure(reason: Extract<BatchOutcome, { ok: false }>['reason'], message: string): BatchOutcome {
  return { ok: false, reason, message };
}
