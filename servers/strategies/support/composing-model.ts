import { UserError } from '../../../results/errors.js';
import type { Action, Execute, Nanos, Strategy, StrategyContext, StrategyRequest } from '../contract.js';

/** What became of a step's request. */
export interface StepOutcome {
  answered(request: StrategyRequest): void;
  failed(request: StrategyRequest): void;
}

/** A model of the ensemble: its strategy numbers its instances from 0, the outside by their global ids. */
export class ComposingModel {
  readonly #strategy: Strategy;
  /** By global instance: the strategy's own execution that runs there. */
  readonly #running = new Map<number, Execute>();

  constructor(
    readonly name: string,
    readonly instances: readonly number[],
    strategy: { readonly name: string; readonly options: unknown },
    context: StrategyContext,
  ) {
    this.#strategy = context.inner(strategy.name, strategy.options, this.#contextWithin(context));
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    return this.#strategy.offer(request, now);
  }

  finished(execution: Execute, now: Nanos, ok: boolean, outcome: StepOutcome): void {
    const own = this.#running.get(execution.instance)!;
    this.#running.delete(execution.instance);
    this.#strategy.finished(own, now, ok);
    if (!ok && !own.shadow) for (const request of own.requests) outcome.failed(request);
    if (ok && !own.hold) for (const request of own.requests) outcome.answered(request);
  }

  /** Its executions are held: the ensemble answers. */
  poll(now: Nanos): Action | undefined {
    const action = this.#strategy.poll(now);
    if (action === undefined || !('instance' in action)) return action;
    const instance = this.instances[action.instance]!;
    if (action.kind === 'kill') this.#running.delete(instance);
    if (action.kind !== 'execute') return { ...action, instance };
    this.#running.set(instance, action);
    const { requests, rows, paddedRows, durationNs, stages, shadow } = action;
    const model = this.name;
    return { kind: 'execute', instance, requests, rows, paddedRows, model, durationNs, stages, shadow, hold: true };
  }

  wakeAt(): Nanos | undefined {
    return this.#strategy.wakeAt();
  }

  cancel(request: StrategyRequest, now: Nanos): void {
    this.#strategy.cancel(request, now);
  }

  #contextWithin(context: StrategyContext): StrategyContext {
    return {
      instances: this.instances.map((instance, id) => {
        const { speed } = context.instances[instance] ?? missingInstance(this.name, instance, context.instances.length);
        return { id, speed };
      }),
      cost: (rows, other = this.name) => context.cost(rows, other),
      costOn: (local, rows, other = this.name) => context.costOn(this.instances[local]!, rows, other),
      inner: context.inner,
    };
  }
}

function missingInstance(name: string, instance: number, instances: number): never {
  throw new UserError({
    place: `triton-ensemble.models.${name}.instances`,
    found: `there is no instance ${instance}`,
    allowed: `0 to ${instances - 1}`,
    remedy: `Give the system ${instance + 1} instances or more`,
  });
}
