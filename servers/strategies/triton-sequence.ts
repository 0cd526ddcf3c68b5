import { z } from 'zod';
import { duration } from '../../results/units.js';
import { defineStrategy, type Execute, type Nanos, type Strategy, type StrategyRequest } from './contract.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { positive } from './support/options.js';
import { rowsOf } from './support/rows.js';

const options = z.strictObject({
  maxBatchSize: positive().default(1),
  maxSequenceIdle: duration().default(1_000_000_000),
  minimumSlotUtilization: z.number().min(0).max(1).default(0),
  maxQueueDelay: duration().default(0),
});

type Options = z.output<typeof options>;

/**
 * Stateful models: the requests of a sequence (their `client`) go one after the other through one batch slot of one
 * instance. Source: Triton sequence batcher, direct strategy.
 */
export const tritonSequence = defineStrategy({
  name: 'triton-sequence',
  summary: 'Stateful models: a sequence of requests keeps one batch slot of one instance',
  source: 'Triton sequence batcher, direct strategy',
  differs: [
    'The direct scheduling strategy only, without control tensors.',
    '`start` on a sequence that is live has no effect.',
  ],
  unranked: 'it serves sequences of dependent requests',
  originals: {
    maxBatchSize: 'max_batch_size',
    maxSequenceIdle: 'max_sequence_idle_microseconds',
    minimumSlotUtilization: 'minimum_slot_utilization',
    maxQueueDelay: 'max_queue_delay_microseconds',
  },
  options,
  examples: [
    {},
    { maxBatchSize: 4, maxSequenceIdle: '20ms' },
    { maxBatchSize: 4, minimumSlotUtilization: 0.5, maxQueueDelay: '2ms' },
  ],
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, { instances }) => new TritonSequence(given, instances.length),
});

interface Pending {
  readonly request: StrategyRequest;
  readonly enqueued: Nanos;
}

interface Sequence {
  readonly client: string | undefined;
  readonly queue: Fifo<Pending>;
  /** When its latest request was offered. */
  last: Nanos;
  /** Its last request has been offered. */
  ended: boolean;
}

class TritonSequence implements Strategy {
  /** By client; the newest where an ended one still holds its slot. */
  readonly #live = new Map<string | undefined, Sequence>();
  /** Sequences that have no slot yet. */
  readonly #backlog = new Fifo<Sequence>();
  /** By instance, then slot. */
  readonly #slots: (Sequence | undefined)[][];
  #freeSlots: number;
  readonly #idle: IdleInstances;
  #waiting = 0;

  constructor(
    readonly options: Options,
    instances: number,
  ) {
    const { maxBatchSize } = options;
    this.#slots = Array.from({ length: instances }, () =>
      new Array<Sequence | undefined>(maxBatchSize).fill(undefined),
    );
    this.#freeSlots = instances * maxBatchSize;
    this.#idle = new IdleInstances(instances);
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    const sequence = this.#sequenceOf(request);
    if (sequence === undefined) return 'no-sequence';
    sequence.queue.push({ request, enqueued: now });
    sequence.last = now;
    if (request.end) sequence.ended = true;
    this.#waiting++;
    return undefined;
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
  }

  poll(now: Nanos): Execute | undefined {
    this.#releaseSilent(now);
    this.#placeBacklog();
    for (let instance = 0; instance < this.#slots.length && this.#waiting > 0; instance++) {
      if (!this.#idle.has(instance)) continue;
      const ready = this.#readySlots(instance);
      if (ready.length > 0 && now >= this.#dueAt(instance, ready)) return this.#execute(instance, ready);
    }
    return undefined;
  }

  wakeAt(): Nanos | undefined {
    let earliest: Nanos = Number.POSITIVE_INFINITY;
    for (const [instance, slots] of this.#slots.entries()) {
      for (const sequence of slots)
        if (sequence?.queue.length === 0) earliest = Math.min(earliest, this.#silentAt(sequence));
      const ready = this.#idle.has(instance) ? this.#readySlots(instance) : [];
      if (ready.length > 0) earliest = Math.min(earliest, this.#dueAt(instance, ready));
    }
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** A sequence that has ended, or not begun, and has nothing left to run gives up its place. */
  cancel(request: StrategyRequest): boolean {
    for (const sequence of this.#backlog)
      if (sequence.client === request.client && this.#drop(request, sequence)) {
        if (sequence.queue.length === 0 && this.#backlog.remove(sequence)) this.#forget(sequence);
        return true;
      }
    for (const slots of this.#slots)
      for (const [slot, sequence] of slots.entries())
        if (sequence !== undefined && sequence.client === request.client && this.#drop(request, sequence)) {
          if (sequence.ended && sequence.queue.length === 0) this.#release(slots, slot);
          return true;
        }
    return false;
  }

  waiting(): number {
    return this.#waiting;
  }

  /** The sequence that takes the request; a new one, in the backlog, where the request may start it. */
  #sequenceOf({ client, start }: StrategyRequest): Sequence | undefined {
    const live = this.#live.get(client);
    if (live !== undefined && !live.ended) return live;
    if (!start) return undefined;
    const sequence: Sequence = { client, queue: new Fifo(), last: 0, ended: false };
    this.#live.set(client, sequence);
    this.#backlog.push(sequence);
    return sequence;
  }

  /** A sequence that was silent for too long loses its slot, even while an earlier request of it runs. */
  #releaseSilent(now: Nanos): void {
    for (const slots of this.#slots)
      for (let slot = 0; slot < slots.length; slot++) {
        const sequence = slots[slot];
        if (sequence?.queue.length === 0 && now >= this.#silentAt(sequence)) this.#release(slots, slot);
      }
  }

  /** The lowest free slot number, and of those the lowest instance, to the sequence that waited longest. */
  #placeBacklog(): void {
    for (let slot = 0; slot < this.options.maxBatchSize && this.#freeSlots > 0; slot++)
      for (const slots of this.#slots) {
        if (this.#backlog.length === 0) return;
        if (slots[slot] !== undefined) continue;
        slots[slot] = this.#backlog.shift()!;
        this.#freeSlots--;
      }
  }

  #readySlots(instance: number): number[] {
    const ready: number[] = [];
    for (const [slot, sequence] of this.#slots[instance]!.entries())
      if (sequence !== undefined && sequence.queue.length > 0) ready.push(slot);
    return ready;
  }

  /** When these slots run although they are few; −∞ where they are not. */
  #dueAt(instance: number, ready: readonly number[]): Nanos {
    const { maxQueueDelay, minimumSlotUtilization, maxBatchSize } = this.options;
    if (maxQueueDelay === 0 || ready.length >= minimumSlotUtilization * maxBatchSize) return Number.NEGATIVE_INFINITY;
    const slots = this.#slots[instance]!;
    return Math.min(...ready.map((slot) => slots[slot]!.queue.peek()!.enqueued)) + maxQueueDelay;
  }

  #execute(instance: number, ready: readonly number[]): Execute {
    const slots = this.#slots[instance]!;
    const requests = ready.map((slot) => {
      const { queue, ended } = slots[slot]!;
      const { request } = queue.shift()!;
      if (ended && queue.length === 0) this.#release(slots, slot);
      return request;
    });
    this.#idle.take(instance);
    this.#waiting -= requests.length;
    return { kind: 'execute', instance, requests, rows: rowsOf(requests) };
  }

  #silentAt({ last }: Sequence): Nanos {
    return last + this.options.maxSequenceIdle;
  }

  #release(slots: (Sequence | undefined)[], slot: number): void {
    this.#forget(slots[slot]!);
    slots[slot] = undefined;
    this.#freeSlots++;
  }

  #forget(sequence: Sequence): void {
    if (this.#live.get(sequence.client) === sequence) this.#live.delete(sequence.client);
  }

  #drop(request: StrategyRequest, { queue }: Sequence): boolean {
    const index = queue.findIndex((pending) => pending.request === request);
    if (index < 0) return false;
    queue.removeAt(index);
    this.#waiting--;
    return true;
  }
}
