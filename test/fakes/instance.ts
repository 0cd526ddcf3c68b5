import type { Batch, BatchOutcome, Instance, InstanceState, StageValues } from '../../servers/executors/instance.js';
import type { RuntimeMetadata } from '../../servers/runtimes/contract.js';
import { echoOutputs } from '../../servers/runtimes/echo.js';
import type { FakeClock } from './executor-clock.js';

/** x FP32 [-1,2] → y FP32 [-1,1]: the first value of each row. */
export const ECHO_METADATA: RuntimeMetadata = {
  platform: 'fake',
  backend: 'fake',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
  providers: [],
};

const STAGES = 4;

/** The same, cut into four stages. */
export const STAGED_METADATA: RuntimeMetadata = { ...ECHO_METADATA, stages: STAGES };

/** An instance whose executions end when the test says so; it echoes. */
export class FakeInstance implements Instance {
  readonly id: number;
  readonly started = Promise.resolve(ECHO_METADATA);
  readonly batches: Batch[] = [];
  kills = 0;
  readonly #clock: FakeClock;
  readonly #running: {
    readonly batch: Batch;
    readonly startNs: number;
    readonly done: (outcome: BatchOutcome) => void;
    readonly onStage: ((values: StageValues) => void) | undefined;
  }[] = [];
  #state: InstanceState = 'ready';
  #waiters: (() => void)[] = [];

  constructor(id: number, clock: FakeClock) {
    this.id = id;
    this.#clock = clock;
  }

  state(): InstanceState {
    return this.#state;
  }

  place(): undefined {
    return undefined;
  }

  pending(): number {
    return this.#running.length;
  }

  execute(batch: Batch, done: (outcome: BatchOutcome) => void, onStage?: (values: StageValues) => void): void {
    this.batches.push(batch);
    this.#running.push({ batch, startNs: this.#clock.now(), done, onStage });
  }

  whenReady(callback: () => void): void {
    if (this.#state === 'ready') callback();
    else this.#waiters.push(callback);
  }

  kill(): void {
    this.kills++;
    this.#running.shift()?.done({ ok: false, reason: 'killed', message: 'killed' });
  }

  async close(): Promise<void> {
    this.#state = 'closed';
  }

  /** The oldest execution has come to this stage. */
  pass(at: number): void {
    const { batch, onStage } = this.#running[0]!;
    onStage?.({ at, values: batch.inputs });
  }

  /** The oldest execution ends well, now. Before the last of four stages its values are its inputs. */
  finish(): void {
    const { batch, startNs, done } = this.#running.shift()!;
    const whole = batch.stages === undefined || batch.stages[1] === STAGES;
    const outputs = whole ? echoOutputs(ECHO_METADATA.outputs, batch.inputs, batch.rows) : batch.inputs;
    done({ ok: true, outputs, startNs, endNs: this.#clock.now() });
  }

  /** The oldest execution fails, but the worker lives. */
  fail(message: string): void {
    this.#running.shift()!.done({ ok: false, reason: 'execution-failed', message });
  }

  /** The worker dies with what it runs. */
  die(): void {
    this.#state = 'starting';
    this.#running.shift()!.done({ ok: false, reason: 'worker-died', message: 'the worker died' });
  }

  /** The worker is back. */
  comeBack(): void {
    this.#state = 'ready';
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
