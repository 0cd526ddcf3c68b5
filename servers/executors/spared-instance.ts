import type {
  Batch,
  BatchOutcome,
  Instance,
  InstanceMetadata,
  InstancePlace,
  InstanceState,
  StageValues,
} from './instance.js';

/**
 * Two workers of which one serves: when it is killed the other takes over at once, and what was killed starts again behind
 * it. Costs a second copy of the models in memory. Killed faster than a worker starts, it waits like one without a spare.
 */
export class SparedInstance implements Instance {
  readonly id: number;
  readonly started: Promise<InstanceMetadata>;
  #serving: Instance;
  #spare: Instance;

  constructor(first: Instance, second: Instance) {
    this.id = first.id;
    this.#serving = first;
    this.#spare = second;
    this.started = Promise.all([first.started, second.started]).then(([metadata]) => metadata);
  }

  state(): InstanceState {
    return this.#serving.state();
  }

  place(): InstancePlace | undefined {
    return this.#serving.place();
  }

  pending(): number {
    return this.#serving.pending();
  }

  execute(batch: Batch, done: (outcome: BatchOutcome) => void, onStage?: (values: StageValues) => void): void {
    this.#serving.execute(batch, done, onStage);
  }

  whenReady(callback: () => void): void {
    this.#serving.whenReady(callback);
  }

  kill(): void {
    this.#serving.kill();
    [this.#serving, this.#spare] = [this.#spare, this.#serving];
  }

  async close(): Promise<void> {
    await Promise.all([this.#serving.close(), this.#spare.close()]);
  }
}
