import type { GateDefinition } from './contract.js';
import { count, percent } from './text.js';

/** A label, not a fault: a cache that is meant to be there is measured as it is, and the report says on what. */
export const inputRepetition: GateDefinition = {
  name: 'input-repetition',
  summary: 'answers from a cache are labelled with the hit rate that was measured',
  check({ counts, inputs }) {
    const { cacheHits, repeated, requests, distinct } = inputs;
    if (!cacheHits || repeated === 0 || counts.ok === 0) return undefined;
    return {
      severity: 'warning',
      message: `${percent(cacheHits / counts.ok)} of the answers (${count(cacheHits)} of ${count(counts.ok)}) came without an execution: ${count(repeated)} of ${count(requests)} requests repeat one of ${count(distinct)} inputs, warm-up included. The figures hold for this hit rate.`,
      advice:
        repeated === requests
          ? 'Where users repeat themselves less, warm up shorter and use more samples than requests (samples: unique).'
          : 'Where users repeat themselves less, use more samples, or each once (samples: unique).',
    };
  },
};
