import { z } from 'zod';
import { createKeyCache, keyCacheShape } from '../strategies/support/key-cache.js';
import { defineController } from './contract.js';
import { answering, operations } from './support/steps.js';

/** Those of the strategy of this name; what concerns requests (`coalesce`, `inner`) has no meaning here. */
const options = z.strictObject({
  ...keyCacheShape,
  coalesce: z.boolean().default(true),
  inner: z.unknown().optional(),
});

const key = z.object({ key: z.string() });

/** The cache of the `prediction-cache` strategy alone, one operation at a time. Source: Clipper; Triton's response cache. */
export const predictionCache = defineController({
  name: 'prediction-cache',
  summary: 'A cache of keys: CLOCK or least recently used',
  source: 'Clipper prediction cache, Triton response cache',
  options,
  create(given) {
    const cache = createKeyCache(given);
    return operations('prediction-cache', {
      get: answering('prediction-cache.get', key, (step) => ({ hit: cache.get(step.key), entries: cache.entries() })),
      put: answering('prediction-cache.put', key, (step) => ({
        evicted: cache.put(step.key) ?? null,
        entries: cache.entries(),
      })),
    });
  },
});
