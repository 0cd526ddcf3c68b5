import type { LoadContext, LoadPlan } from './contract.js';
import { PRESETS } from './presets.js';

/** What the loads of one query at a time share. */
export interface StreamSettings {
  readonly perQuery: number;
  readonly durationNs: number | undefined;
  readonly minQueries: number;
  readonly maxQueries: number | undefined;
  readonly sampleIndex: Uint32Array;
}

/** The next query when the previous one completes. It ends when both minima are met, tested at the last issue. */
export function streamPlan(settings: StreamSettings, context: LoadContext): LoadPlan {
  const preset = PRESETS[context.preset];
  const minDurationNs = settings.durationNs ?? preset.durationNs;
  const maxQueries = settings.maxQueries ?? Number.POSITIVE_INFINITY;
  return {
    mode: 'closed',
    concurrency: 1,
    perQuery: settings.perQuery,
    sampleIndex: settings.sampleIndex,
    minDurationNs,
    minQueries: Math.min(settings.minQueries, maxQueries),
    maxDurationNs: minDurationNs * preset.maxDurationFactor,
    maxQueries,
  };
}
