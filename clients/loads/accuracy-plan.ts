import type { LoadPlan } from './contract.js';

/** Each sample once, in order, a few at a time: what is judged is the answers, not their time. */
export function accuracyPlan(samples: number, concurrency: number): LoadPlan {
  return {
    mode: 'closed',
    concurrency: Math.min(concurrency, samples),
    perQuery: 1,
    sampleIndex: Uint32Array.from({ length: samples }, (_, i) => i),
    minDurationNs: 0,
    minQueries: samples,
    maxDurationNs: MAX_DURATION_NS,
    maxQueries: samples,
  };
}

const MAX_DURATION_NS = 3600e9;
