import type { Execute, StrategyRequest } from '../../../../servers/strategies/contract.js';
import { Literal } from './literal.js';

export interface LiteralAimdOptions {
  readonly slo: number;
  readonly initialBatchSize: number;
  readonly additive: number;
  readonly backoff: number;
  readonly batchWait: number;
  readonly maxBatchSize: number;
  readonly maxQueueSize: number;
}

export class LiteralAimd extends Literal {
  readonly caps: number[];
  readonly full: boolean[] = [];

  constructor(
    readonly options: LiteralAimdOptions,
    instances: number,
  ) {
    super(instances);
    this.caps = Array.from({ length: instances }, () => this.limited(options.initialBatchSize));
  }

  offer(request: StrategyRequest): string | undefined {
    const { maxQueueSize } = this.options;
    if (maxQueueSize > 0 && this.queue.length >= maxQueueSize) return 'queue-full';
    this.queue.push(request);
    return undefined;
  }

  act(now: number): void {
    const { batchWait } = this.options;
    for (const instance of this.idle()) {
      if (this.queue.length === 0) return;
      const cap = this.caps[instance]!;
      let rows = this.queue[0]!.rows;
      let count = 1;
      while (count < this.queue.length && rows + this.queue[count]!.rows <= cap) rows += this.queue[count++]!.rows;
      const full = count < this.queue.length || rows >= cap;
      if (!full && batchWait > 0 && now < this.queue[0]!.at + batchWait) continue;
      this.full[instance] = full;
      this.run(instance, this.queue.splice(0, count));
    }
  }

  wakeAt(): number | undefined {
    return this.idle().length > 0 && this.queue.length > 0 ? this.queue[0]!.at + this.options.batchWait : undefined;
  }

  override ended({ instance }: Execute, latency: number): void {
    const { slo, backoff, additive } = this.options;
    if (latency > slo) this.caps[instance] = Math.max(1, Math.floor(this.caps[instance]! * backoff));
    else if (this.full[instance]) this.caps[instance] = this.limited(this.caps[instance]! + additive);
  }

  limited(cap: number): number {
    return this.options.maxBatchSize > 0 ? Math.min(cap, this.options.maxBatchSize) : cap;
  }
}
