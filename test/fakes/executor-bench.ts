import { Batching } from '../../servers/executors/batching.js';
import { instanceList, strategyContext } from '../../servers/executors/context.js';
import { costModel } from '../../servers/executors/cost.js';
import type { CostTable } from '../../servers/executors/index.js';
import type { Hints } from '../../servers/executors/job.js';
import { RealExecutor } from '../../servers/executors/real.js';
import type { InferOutcome, InferTicket } from '../../servers/protocol/service.js';
import type { InferRequest } from '../../servers/protocol/types.js';
import type { RuntimeMetadata } from '../../servers/runtimes/contract.js';
import { StatisticsCollector } from '../../servers/statistics.js';
import type { Strategy } from '../../servers/strategies/contract.js';
import { createStrategy } from '../../servers/strategies/registry.js';
import { FakeClock } from './executor-clock.js';
import { ECHO_METADATA, FakeInstance } from './instance.js';

/** An executor on fake time with fake instances. */
export class Bench {
  readonly clock = new FakeClock();
  readonly instances: readonly FakeInstance[];
  readonly instance: FakeInstance;
  readonly statistics = new StatisticsCollector('m', '1', () => 0);
  readonly outcomes: InferOutcome[] = [];
  readonly executor: RealExecutor;
  onAnswer: () => void = () => {};

  readonly consumed: number[] = [];

  constructor(
    strategy: Strategy,
    count = 1,
    { metadata = ECHO_METADATA, executesOnce = false }: { metadata?: RuntimeMetadata; executesOnce?: boolean } = {},
  ) {
    this.instances = Array.from({ length: count }, (_, id) => new FakeInstance(id, this.clock));
    this.instance = this.instances[0]!;
    this.executor = new RealExecutor({
      strategy,
      instances: this.instances,
      batching: new Batching(metadata),
      modelVersion: '1',
      statistics: this.statistics,
      clock: this.clock,
      executesOnce,
    });
  }

  /** A request of one row a value, whose first byte came 1 µs ago. */
  send(id: number, values: readonly number[] = [id], hints: Hints = {}): InferTicket {
    const data = new Uint8Array(new Float32Array(values.flatMap((value) => [value, -1])).buffer);
    const request: InferRequest = {
      modelName: 'm',
      id: String(id),
      inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length, 2], data }],
      consumed: () => this.consumed.push(id),
    };
    return this.executor.submit(request, values.length, hints, this.clock.now() - 1000, (outcome) => {
      this.outcomes.push(outcome);
      this.onAnswer();
    });
  }

  values(): number[][] {
    return this.outcomes.flatMap((outcome) => {
      if (!outcome.ok) return [];
      const { data } = outcome.response.outputs[0]!;
      return [[...new Float32Array(data.slice().buffer)]];
    });
  }

  errors(): [string, string | undefined][] {
    return this.outcomes.flatMap((outcome) => (outcome.ok ? [] : [[outcome.error.code, outcome.error.reason]]));
  }

  timings(index: number) {
    return this.outcomes[index]!.timings!;
  }
}

/** Over so many instances; `cost` for strategies that plan with it. */
export function named(name: string, options: unknown = {}, count = 1, cost?: CostTable): Strategy {
  const instances = instanceList(count);
  return createStrategy(name, options, strategyContext(instances, costModel(instances, { cost })));
}
