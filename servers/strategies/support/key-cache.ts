import { z } from 'zod';
import { ClockCache } from './clock-cache.js';
import { LruCache } from './lru-cache.js';
import { count } from './options.js';

/** A bounded set of keys that evicts by its own rule; the values are the owner's business. */
export interface KeyCache {
  /** Is it there? A hit counts as a use. */
  get(key: string): boolean;
  /** Keep it; answers the key that had to go, if one had to. */
  put(key: string): string | undefined;
  /** What it holds, as in the conformance vectors. */
  entries(): readonly (readonly [key: string, bit?: number])[];
}

/** The options that choose a cache: eviction policy, capacity in entries (0 keeps nothing), CLOCK's bit of a new entry. */
export const keyCacheShape = {
  policy: z.enum(['clock', 'lru']).default('clock'),
  capacity: count(),
  insertBit: z.literal([0, 1]).default(1),
};

export interface KeyCacheOptions {
  readonly policy: 'clock' | 'lru';
  readonly capacity: number;
  readonly insertBit: 0 | 1;
}

export function createKeyCache({ policy, capacity, insertBit }: KeyCacheOptions): KeyCache {
  return policy === 'clock' ? new ClockCache(capacity, insertBit) : new LruCache(capacity);
}
