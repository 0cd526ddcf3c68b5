import type { Batch, BatchOutcome, Instance, InstanceState } from '../../servers/executors/instance.js';
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

  execute(batch: Batch, done: (outcome: BatchOutcome) => void): void {
    this.batches.push(batch);
    this.#running.push({ batch, startNs: this.#clock.now(), done });
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

  /** The oldest execution ends well, now. */
  finish(): void {
    const { batch, startNs, done } = this.#running.shift()!;
    const outputs = echoOutputs(ECHO_METADATA.outputs, batch.inputs, batch.rows);
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
