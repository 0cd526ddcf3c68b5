import type { Execute, StrategyRequest } from '../../../../servers/strategies/contract.js';
import { type Cost, Literal } from './literal.js';

/** A queue by (deadline, order of offer), sorted anew whenever something comes. */
abstract class ByDeadline extends Literal {
  constructor(
    readonly slo: number,
    instances: number,
  ) {
    super(instances);
  }

  deadline({ deadlineNs, at }: StrategyRequest): number {
    if (deadlineNs !== undefined) return deadlineNs;
    return this.slo === 0 ? Number.POSITIVE_INFINITY : at + this.slo;
  }

  offer(request: StrategyRequest): string | undefined {
    this.queue = [...this.queue, request].sort((a, b) => this.deadline(a) - this.deadline(b) || 0);
    return undefined;
  }

  wakeAt(): undefined {
    return undefined;
  }

  take(instance: number, requests: readonly StrategyRequest[], more: Partial<Execute> = {}): Execute {
    this.queue = this.queue.filter((request) => !requests.includes(request));
    return this.run(instance, requests, more);
  }
}

export class LiteralEdf extends ByDeadline {
  constructor(
    readonly options: { maxBatchSize: number; slo: number; drop: 'none' | 'expired' | 'infeasible' },
    instances: number,
    readonly cost: Cost,
  ) {
    super(options.slo, instances);
  }

  override offer(request: StrategyRequest): string | undefined {
    return request.rows > this.options.maxBatchSize ? 'batch-too-large' : super.offer(request);
  }

  act(now: number): void {
    const { drop, maxBatchSize } = this.options;
    for (const instance of this.idle()) {
      for (const request of this.queue) {
        if (drop === 'expired' && this.deadline(request) <= now) this.reject(request, 'expired');
        if (drop === 'infeasible' && now + this.cost(request.rows) > this.deadline(request))
          this.reject(request, 'late');
      }
      const fits = (_: StrategyRequest, i: number) =>
        sum(this.queue.slice(0, i + 1).map(({ rows }) => rows)) <= maxBatchSize;
      const batch = this.queue.filter(fits);
      if (batch.length > 0) this.take(instance, batch);
    }
  }
}

export class LiteralClockwork extends ByDeadline {
  constructor(
    readonly options: { maxBatchSize: number; slo: number },
    instances: number,
    readonly cost: Cost,
  ) {
    super(options.slo, instances);
  }

  act(now: number): void {
    for (let again = true; again; ) {
      again = false;
      const [instance] = this.idle();
      const ends = [...this.busy.values()].map(({ start, execution }) => start + this.cost(execution.requests.length));
      const start = instance === undefined ? Math.max(now, Math.min(...ends)) : now;
      for (const request of this.queue) if (start + this.cost(1) > this.deadline(request)) this.reject(request, 'late');
      if (instance === undefined) return;
      for (let b = Math.min(this.options.maxBatchSize, this.queue.length); b >= 1; b--) {
        const eligible = this.queue.filter((request) => now + this.cost(b) <= this.deadline(request));
        if (eligible.length < b) continue;
        this.take(instance, eligible.slice(0, b));
        again = true;
        break;
      }
    }
  }
}

export class LiteralNexus extends ByDeadline {
  constructor(
    readonly options: { targetBatchSize: number; slo: number; drop: 'early' | 'lazy' },
    instances: number,
    readonly cost: Cost,
  ) {
    super(options.slo, instances);
  }

  override offer(request: StrategyRequest): undefined {
    this.queue.push(request);
  }

  act(now: number): void {
    const { targetBatchSize, drop } = this.options;
    for (const instance of this.idle()) {
      for (;;) {
        const n = (i: number) => (drop === 'lazy' ? 1 : Math.min(targetBatchSize, this.queue.length - i));
        const lead = this.queue.findIndex((request, i) => now + this.cost(n(i)) <= this.deadline(request));
        const dropped = this.queue.slice(0, lead < 0 ? undefined : lead);
        for (const request of dropped) this.reject(request, 'late');
        if (dropped.length === 0) break;
      }
      if (this.queue.length > 0) this.take(instance, this.queue.slice(0, targetBatchSize));
    }
  }
}

export interface LiteralEstimatorOptions {
  readonly slo: number;
  readonly budgetPercent: number;
  readonly minSamples: number;
  readonly additiveBelow: number;
  readonly growthPercent: number;
  readonly z: number;
  readonly maxBatchSize: number;
}

export class LiteralEstimator extends ByDeadline {
  readonly samples: { size: number; latency: number }[][];

  constructor(
    readonly options: LiteralEstimatorOptions,
    instances: number,
  ) {
    super(options.slo, instances);
    this.samples = Array.from({ length: instances }, () => []);
  }

  override ended({ instance, rows, paddedRows = rows }: Execute, latency: number): void {
    this.samples[instance]!.push({ size: paddedRows, latency });
  }

  act(now: number): void {
    const o = this.options;
    for (const instance of this.idle()) {
      for (const request of this.queue) if (this.deadline(request) <= now) this.reject(request, 'expired');
      if (this.queue.length === 0) return;
      const samples = this.samples[instance]!;
      const max = Math.max(1, ...samples.map(({ size }) => size));
      const worst = Math.max(0, ...samples.map(({ latency }) => latency));
      const budget = Math.floor(((this.deadline(this.queue[0]!) - now) * o.budgetPercent) / 100);
      let b = max;
      if (budget > worst && samples.filter(({ size }) => size === max).length >= o.minSamples)
        b = max < o.additiveBelow ? max + 1 : Math.max(max + 1, Math.floor((max * (100 + o.growthPercent)) / 100));
      if (budget <= worst) b = this.estimate(samples, budget, max);
      if (o.maxBatchSize > 0) b = Math.min(b, o.maxBatchSize);
      const batch = this.queue.slice(0, b);
      this.take(instance, batch, budget > worst && b > batch.length ? { paddedRows: b } : {});
    }
  }

  estimate(samples: readonly { size: number; latency: number }[], budget: number, max: number): number {
    const sizes = [...new Set(samples.map(({ size }) => size))].sort((a, b) => a - b);
    if (sizes.length < 2) return max;
    const groups = sizes.map((x) => samples.filter(({ size }) => size === x).map(({ latency }) => latency));
    const means = groups.map((group) => sum(group) / group.length);
    const squares = sum(groups.flatMap((group, i) => group.map((t) => (t - means[i]!) ** 2)));
    const freedom = sum(groups.map((group) => group.length - 1));
    const pooled = freedom === 0 ? 0 : Math.sqrt(squares / freedom);
    const ys = means.map((mean) => mean + this.options.z * pooled);
    const n = sizes.length;
    const [sx, sy] = [sum(sizes), sum(ys)];
    const s = (n * sum(sizes.map((x, i) => x * ys[i]!)) - sx * sy) / (n * sum(sizes.map((x) => x * x)) - sx * sx);
    if (s <= 0) return max;
    return Math.min(max, Math.max(1, Math.floor((budget - (sy - s * sx) / n) / s)));
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
