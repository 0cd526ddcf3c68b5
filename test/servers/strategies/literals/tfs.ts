import type { StrategyRequest } from '../../../../servers/strategies/contract.js';
import { Literal } from './literal.js';

export interface LiteralTfsOptions {
  readonly maxBatchSize: number;
  readonly batchTimeout: number;
  readonly maxEnqueuedBatches: number;
  readonly allowedBatchSizes: readonly number[];
  readonly models?: readonly string[] | undefined;
}

interface Batch {
  requests: StrategyRequest[];
  start: number;
}

export class LiteralTfs extends Literal {
  readonly queues: Batch[][];
  pointer = 0;

  constructor(
    readonly options: LiteralTfsOptions,
    instances: number,
  ) {
    super(instances);
    this.queues = (options.models ?? ['']).map(() => [{ requests: [], start: 0 }]);
  }

  offer(request: StrategyRequest, now: number): string | undefined {
    const { maxBatchSize, models, maxEnqueuedBatches } = this.options;
    if (request.rows > maxBatchSize) return 'batch-too-large';
    const queue = this.queues[models === undefined ? 0 : models.indexOf(request.model ?? '')];
    if (queue === undefined) return 'unknown-model';
    if (rowsOf(queue.at(-1)!) + request.rows > maxBatchSize) {
      if (queue.length >= maxEnqueuedBatches) return 'queue-full';
      queue.push({ requests: [], start: now });
    }
    const open = queue.at(-1)!;
    if (open.requests.length === 0) open.start = now;
    open.requests.push(request);
    return undefined;
  }

  act(now: number): void {
    for (const instance of this.idle()) {
      const order = this.queues.map((_, i) => (this.pointer + i) % this.queues.length);
      const turn = order.find((i) => this.isReady(this.queues[i]!, now));
      if (turn === undefined) return;
      this.pointer = (turn + 1) % this.queues.length;
      const queue = this.queues[turn]!;
      const batch = queue.shift()!;
      if (queue.length === 0) queue.push({ requests: [], start: 0 });
      const paddedRows = this.options.allowedBatchSizes.find((size) => size >= rowsOf(batch));
      this.run(instance, batch.requests, { paddedRows, model: this.options.models?.[turn] });
    }
  }

  wakeAt(): number | undefined {
    if (this.idle().length === 0) return undefined;
    const alone = this.queues.filter((queue) => queue.length === 1 && queue[0]!.requests.length > 0);
    return this.earliest(alone.map(([open]) => open!.start + this.options.batchTimeout));
  }

  isReady(queue: readonly Batch[], now: number): boolean {
    const [first] = queue;
    if (queue.length > 1) return true;
    if (first!.requests.length === 0) return false;
    return rowsOf(first!) >= this.options.maxBatchSize || now >= first!.start + this.options.batchTimeout;
  }
}

function rowsOf({ requests }: Batch): number {
  return requests.reduce((sum, { rows }) => sum + rows, 0);
}
