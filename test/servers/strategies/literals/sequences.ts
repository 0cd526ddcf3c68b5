import type { StrategyRequest } from '../../../../servers/strategies/contract.js';
import { Literal } from './literal.js';

export interface LiteralSequenceOptions {
  readonly maxBatchSize: number;
  readonly maxSequenceIdle: number;
  readonly minimumSlotUtilization: number;
  readonly maxQueueDelay: number;
}

interface Sequence {
  readonly client: string | undefined;
  requests: StrategyRequest[];
  last: number;
  ended: boolean;
  place: { instance: number; slot: number } | undefined;
}

/** One list of sequences that have not been released, in the order in which they began. */
export class LiteralSequence extends Literal {
  sequences: Sequence[] = [];

  constructor(
    readonly options: LiteralSequenceOptions,
    instances: number,
  ) {
    super(instances);
  }

  offer(request: StrategyRequest, now: number): string | undefined {
    let sequence = this.sequences.find(({ client, ended }) => client === request.client && !ended);
    if (sequence === undefined) {
      if (!request.start) return 'no-sequence';
      sequence = { client: request.client, requests: [], last: now, ended: false, place: undefined };
      this.sequences.push(sequence);
    }
    sequence.requests.push(request);
    sequence.last = now;
    sequence.ended = request.end === true;
    return undefined;
  }

  act(now: number): void {
    const { maxSequenceIdle, maxBatchSize, minimumSlotUtilization, maxQueueDelay } = this.options;
    for (const sequence of this.sequences.filter(({ place, requests }) => place && requests.length === 0))
      if (now >= sequence.last + maxSequenceIdle) this.release(sequence);
    for (const sequence of this.sequences.filter(({ place }) => place === undefined)) sequence.place = this.freePlace();
    for (const instance of this.idle()) {
      const ready = this.ready(instance);
      if (ready.length === 0) continue;
      const t = Math.min(...ready.map(({ requests }) => requests[0]!.at));
      const few = ready.length < minimumSlotUtilization * maxBatchSize;
      if (maxQueueDelay > 0 && few && now < t + maxQueueDelay) continue;
      const heads = ready.map((sequence) => {
        const head = sequence.requests.shift()!;
        if (head.end) this.release(sequence);
        return head;
      });
      this.run(instance, heads);
      return;
    }
  }

  wakeAt(): number | undefined {
    const { maxSequenceIdle, maxQueueDelay } = this.options;
    const silent = this.sequences.filter(({ place, requests }) => place !== undefined && requests.length === 0);
    const waiting = this.idle().flatMap((instance) => this.ready(instance).map(({ requests }) => requests[0]!.at));
    return this.earliest([
      ...silent.map(({ last }) => last + maxSequenceIdle),
      ...waiting.map((enqueued) => enqueued + maxQueueDelay),
    ]);
  }

  ready(instance: number): Sequence[] {
    const mine = this.sequences.filter(({ place, requests }) => place?.instance === instance && requests.length > 0);
    return mine.sort((a, b) => a.place!.slot - b.place!.slot);
  }

  freePlace(): Sequence['place'] {
    for (let slot = 0; slot < this.options.maxBatchSize; slot++)
      for (let instance = 0; instance < this.instances; instance++)
        if (!this.sequences.some(({ place }) => place?.slot === slot && place.instance === instance))
          return { instance, slot };
    return undefined;
  }

  release(sequence: Sequence): void {
    this.sequences = this.sequences.filter((other) => other !== sequence);
  }
}
