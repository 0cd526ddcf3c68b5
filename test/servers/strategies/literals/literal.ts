import type { Action, Execute, Strategy, StrategyRequest } from '../../../../servers/strategies/contract.js';

export type Cost = (rows: number) => number;

/**
 * A strategy's rules written out over plain arrays, all that an instant asks for at once: slow, and an oracle for the real
 * one. Instances are idle or busy; nothing can be cancelled.
 */
export abstract class Literal implements Strategy {
  readonly busy = new Map<number, { execution: Execute; start: number }>();
  readonly actions: Action[] = [];
  queue: StrategyRequest[] = [];
  now = 0;

  constructor(readonly instances: number) {}

  abstract offer(request: StrategyRequest, now: number): string | undefined;
  /** Do all that is to be done now, by `run`, `reject` and the like. */
  abstract act(now: number): void;
  abstract wakeAt(): number | undefined;
  ended(_execution: Execute, _latency: number, _now: number): void {}

  finished(execution: Execute, now: number): void {
    const { start } = this.busy.get(execution.instance)!;
    this.busy.delete(execution.instance);
    this.ended(execution, now - start, now);
  }

  poll(now: number): Action | undefined {
    this.now = now;
    if (this.actions.length === 0) this.act(now);
    return this.actions.shift();
  }

  cancel(): boolean {
    return false;
  }

  waiting(): number {
    return 0;
  }

  idle(): number[] {
    return Array.from({ length: this.instances }, (_, id) => id).filter((id) => !this.busy.has(id));
  }

  run(instance: number, requests: readonly StrategyRequest[], more: Partial<Execute> = {}): Execute {
    const rows = requests.reduce((sum, request) => sum + request.rows, 0);
    const execution: Execute = { kind: 'execute', instance, requests: [...requests], rows, ...more };
    this.busy.set(instance, { execution, start: this.now });
    this.actions.push(execution);
    return execution;
  }

  reject(request: StrategyRequest, reason: string): void {
    this.queue = this.queue.filter((other) => other !== request);
    this.actions.push({ kind: 'reject', request, reason });
  }

  earliest(times: readonly number[]): number | undefined {
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
