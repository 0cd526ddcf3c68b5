import type { Action, Execute, Nanos, Strategy, StrategyRequest } from '../../servers/strategies/contract.js';

/** A strategy that does what the test tells it and remembers what it was told. */
export class ScriptedStrategy implements Strategy {
  readonly offered: StrategyRequest[] = [];
  readonly log: string[] = [];
  /** What the next polls answer. */
  readonly actions: Action[] = [];
  refuse: string | undefined;
  wake: Nanos | undefined;

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    this.log.push(`offer ${request.id} at ${now}`);
    if (this.refuse === undefined) this.offered.push(request);
    return this.refuse;
  }

  finished(execution: Execute, now: Nanos, ok = true): void {
    this.log.push(`finished ${execution.requests.map((request) => request.id)} at ${now}${ok ? '' : ' failed'}`);
  }

  poll(): Action | undefined {
    return this.actions.shift();
  }

  wakeAt(): Nanos | undefined {
    return this.wake;
  }

  cancel(request: StrategyRequest): boolean {
    this.log.push(`cancel ${request.id}`);
    const at = this.offered.indexOf(request);
    if (at >= 0) this.offered.splice(at, 1);
    return at >= 0;
  }

  waiting(): number {
    return this.offered.length;
  }

  /** Take the first n offered requests as an execution. */
  take(n: number, more: Partial<Execute> = {}): Execute {
    const requests = this.offered.splice(0, n);
    const rows = requests.reduce((sum, request) => sum + request.rows, 0);
    return { kind: 'execute', instance: 0, requests, rows, ...more };
  }
}
