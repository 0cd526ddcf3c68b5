import type { Action, Execute, Strategy, StrategyRequest } from '../../../../servers/strategies/contract.js';
import { Literal } from './literal.js';

export interface LiteralEnsembleOptions {
  readonly steps: readonly { readonly name: string; readonly model: string; readonly after: readonly string[] }[];
  readonly models: Readonly<Record<string, { readonly instances: readonly number[] }>>;
  readonly maxInflightRequests: number;
}

interface Live {
  readonly request: StrategyRequest;
  readonly done: Set<string>;
  readonly offered: Set<string>;
}

/** The models' own strategies are real ones; the ensemble around them looks everything up by name and id. */
export class LiteralEnsemble extends Literal {
  live: Live[] = [];
  readonly owners = new Map<StrategyRequest, { live: Live; step: string }>();
  readonly own = new Map<Execute, Execute>();

  constructor(
    readonly options: LiteralEnsembleOptions,
    instances: number,
    readonly inner: Readonly<Record<string, Strategy>>,
  ) {
    super(instances);
  }

  offer(request: StrategyRequest): undefined {
    this.queue.push(request);
  }

  override ended(execution: Execute, _latency: number, now: number): void {
    const own = this.own.get(execution)!;
    this.inner[execution.model!]!.finished(own, now);
    if (!own.hold) for (const request of own.requests) this.answered(request, now);
  }

  act(now: number): void {
    const { models, maxInflightRequests: most } = this.options;
    for (let happened = true; happened; ) {
      happened = false;
      while (this.queue.length > 0 && (most === 0 || this.live.length < most)) {
        const live: Live = { request: this.queue.shift()!, done: new Set(), offered: new Set() };
        this.live.push(live);
        this.offerReady(live, now);
        happened = true;
      }
      for (const [model, { instances }] of Object.entries(models))
        for (let action = this.inner[model]!.poll(now); action !== undefined; action = this.inner[model]!.poll(now)) {
          this.carryOut(action, model, instances, now);
          happened = true;
        }
    }
  }

  carryOut(action: Action, model: string, instances: readonly number[], now: number): void {
    if (action.kind === 'execute') {
      const { instance, requests, ...more } = action;
      this.own.set(this.run(instances[instance]!, requests, { ...more, model, hold: true }), action);
    }
    if (action.kind === 'respond') this.answered(action.request, now);
    if (action.kind === 'reject') this.rejected(this.owners.get(action.request)!.live, action.reason);
  }

  answered(request: StrategyRequest, now: number): void {
    const { live, step } = this.owners.get(request)!;
    if (!this.live.includes(live)) return;
    live.done.add(step);
    this.offerReady(live, now);
    if (!this.live.includes(live) || live.done.size < this.options.steps.length) return;
    this.live = this.live.filter((other) => other !== live);
    this.actions.push({ kind: 'respond', request: live.request, source: 'execution' });
  }

  offerReady(live: Live, now: number): void {
    for (const { name, model, after } of this.options.steps) {
      if (live.offered.has(name) || !after.every((other) => live.done.has(other))) continue;
      live.offered.add(name);
      const { rows, priority, shapeKey, timeoutNs, deadlineNs } = live.request;
      const request = { id: `${live.request.id}/${name}`, at: now, rows, priority, shapeKey, timeoutNs, deadlineNs };
      this.owners.set(request, { live, step: name });
      const refused = this.inner[model]!.offer(request, now);
      if (refused === undefined) continue;
      this.rejected(live, refused);
      return;
    }
  }

  rejected(live: Live, reason: string): void {
    if (!this.live.includes(live)) return;
    this.live = this.live.filter((other) => other !== live);
    this.actions.push({ kind: 'reject', request: live.request, reason });
  }

  wakeAt(): number | undefined {
    const times = Object.values(this.inner).map((strategy) => strategy.wakeAt());
    return this.earliest(times.filter((time) => time !== undefined));
  }
}
