import { createHash } from 'node:crypto';
import { UserError } from '../results/errors.js';
import { Mt19937, permutation, shuffle, uniformInt } from '../results/stats/index.js';
import type { LoadPlan } from './loads/index.js';

/** The most requests of one trial: about 1.2 GB of records. */
export const MAX_REQUESTS = 10_000_000;

export const SAMPLE_ORDERS = ['random', 'unique', 'equal-issue', 'sequential', 'same'] as const;
/**
 * `random`: uniformly with replacement (LoadGen's performance mode); `unique`: one shuffled permutation, over and over;
 * `equal-issue`: one fresh permutation after the other; `sequential`: 0, 1, 2 …, over and over; `same`: one
 * sample again and again (what a cache makes of it: MLPerf's audit TEST04).
 */
export type SampleOrder = (typeof SAMPLE_ORDERS)[number];

export interface ScheduleLimits {
  /** Due times are drawn while the last one is earlier than this … */
  readonly durationNs: number;
  /** … or there are fewer than these. */
  readonly minCount: number;
  /** Never more than these; reached, it ends the schedule. */
  readonly maxCount?: number | undefined;
}

/**
 * Due times in ns, ascending from 0, drawn in full: `while (previousDue < duration || count < minCount)`. Throws UserError
 * beyond MAX_REQUESTS. Source: MLPerf LoadGen `loadgen.cc` GenerateQueries.
 */
export function dueTimes(nextGap: () => number, limits: ScheduleLimits): Float64Array {
  const { durationNs, minCount } = limits;
  const maxCount = Math.min(limits.maxCount ?? Number.POSITIVE_INFINITY, MAX_REQUESTS + 1);
  let due = new Float64Array(1024);
  let count = 0;
  let now = 0;
  let previous = 0;
  while ((previous < durationNs || count < minCount) && count < maxCount) {
    if (count === due.length) due = grown(due);
    due[count++] = now;
    previous = now;
    now += nextGap();
  }
  requireFewEnough(count);
  return due.slice(0, count);
}

/** `count` sample indices in [0, samples), from `std::mt19937` with that seed. */
export function sampleIndices(order: SampleOrder, seed: bigint, count: number, samples: number): Uint32Array {
  const indices = new Uint32Array(count);
  const random = new Mt19937(seed);
  if (order === 'random') for (let i = 0; i < count; i++) indices[i] = uniformInt(random, samples);
  else if (order === 'same') indices.fill(0);
  else if (order === 'sequential') for (let i = 0; i < count; i++) indices[i] = i % samples;
  else {
    const block = permutation(random, samples);
    for (let i = 0; i < count; i += samples) {
      if (i > 0 && order === 'equal-issue') {
        for (let k = 0; k < samples; k++) block[k] = k;
        shuffle(random, block);
      }
      indices.set(block.subarray(0, Math.min(samples, count - i)), i);
    }
  }
  return indices;
}

/**
 * Starts drawn uniformly, then `perQuery` contiguous samples from each, wrapping at the end. Source: LoadGen's
 * MultiStream (which pads its loaded set for the same effect).
 */
export function contiguousIndices(seed: bigint, queries: number, perQuery: number, samples: number): Uint32Array {
  const starts = sampleIndices('random', seed, queries, samples);
  const indices = new Uint32Array(queries * perQuery);
  for (let i = 0; i < indices.length; i++) indices[i] = (starts[Math.floor(i / perQuery)]! + (i % perQuery)) % samples;
  return indices;
}

/** Hex hash of everything that a plan fixes beforehand: due times and sample indices, little-endian. */
export function scheduleSha256(plan: LoadPlan): string {
  const hash = createHash('sha256').update(plan.mode);
  if (plan.mode === 'open') hash.update(bytesOf(plan.dueNs));
  else hash.update(`${plan.concurrency}x${plan.perQuery}`);
  hash.update(bytesOf(plan.sampleIndex));
  if (plan.mix) hash.update(plan.mix.of).update(JSON.stringify(plan.mix.classes));
  if (plan.mode === 'open' && plan.closed) hash.update(JSON.stringify(plan.closed));
  if (plan.mode === 'open' && plan.sessions) hash.update(JSON.stringify(plan.sessions));
  return hash.digest('hex');
}

/** A typed array's bytes, without a copy. */
export function bytesOf(array: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Throws UserError for a schedule beyond MAX_REQUESTS. */
export function requireFewEnough(count: number): void {
  if (count <= MAX_REQUESTS) return;
  throw new UserError({
    place: 'schedule',
    found: `the load would send more than ${MAX_REQUESTS.toLocaleString('en-US')} requests`,
    allowed: `at most ${MAX_REQUESTS.toLocaleString('en-US')} requests a trial`,
    remedy: 'Lower the rate or the duration, or set a count',
  });
}
