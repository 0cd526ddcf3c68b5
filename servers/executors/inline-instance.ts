import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import type { Runtime, RuntimeMetadata } from '../runtimes/index.js';
import { createRuntime } from '../runtimes/index.js';
import type { Batch, BatchOutcome, Instance, InstancePlace, InstanceSpec, InstanceState } from './instance.js';

/** An instance on the server's own thread, for runtimes that answer at once: `done` is called inside `execute`. */
export class InlineInstance implements Instance {
  readonly id: number;
  readonly started: Promise<RuntimeMetadata>;
  #runtime: Runtime | undefined;
  #waiters: (() => void)[] = [];
  #state: InstanceState = 'starting';

  constructor(spec: InstanceSpec) {
    this.id = spec.id;
    this.started = this.#start(spec);
  }

  state(): InstanceState {
    return this.#state;
  }

  place(): InstancePlace {
    return { pid: process.pid, tid: undefined };
  }

  pending(): number {
    return 0;
  }

  execute(batch: Batch, done: (outcome: BatchOutcome) => void): void {
    done(this.#run(batch));
  }

  whenReady(callback: () => void): void {
    if (this.#state === 'ready') callback();
    else this.#waiters.push(callback);
  }

  kill(): void {
    // Nothing ever runs between two calls.
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#runtime?.close();
  }

  #run({ inputs, rows, outputs: wanted }: Batch): BatchOutcome {
    const runtime = this.#runtime;
    if (this.#state !== 'ready' || !runtime?.executeNow)
      return { ok: false, reason: 'closed', message: 'the instance is not ready' };
    const startNs = nowNs();
    try {
      const outputs = runtime.executeNow(inputs, rows, wanted);
      return { ok: true, outputs, startNs, endNs: nowNs() };
    } catch (error) {
      return { ok: false, reason: 'execution-failed', message: messageOf(error) };
    }
  }

  async #start(spec: InstanceSpec): Promise<RuntimeMetadata> {
    this.#runtime = await createRuntime(spec.runtime, spec.modelPath, spec.runtimeOptions);
    if (this.#runtime.executeNow === undefined) throw new Error(`runtime ${spec.runtime} cannot execute inline`);
    this.#state = 'ready';
    for (const waiter of this.#waiters) waiter();
    return this.#runtime.metadata;
  }
}
