import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { duration } from '../../results/units.js';
import { SAMPLE_ORDERS } from '../schedule.js';
import type { LoadContext } from './contract.js';

/** What a preset fixes; every number can be set in the load's options. */
interface Preset {
  readonly durationNs: number;
  /** A closed loop whose minima are not met by then stops, and says so. */
  readonly maxDurationFactor: number;
  readonly minQueries: { readonly singleStream: number; readonly multiStream: number; readonly server: number };
  readonly offlineSamples: number;
}

/**
 * `mlperf`: the official durations and minima (MLPerf LoadGen `mlperf.conf`; the floors 64 and 662 are those of early
 * stopping); `mlperf-short`: the same minima over LoadGen's own default of 10 s; `quick`: a few seconds, for a first look.
 */
export const PRESETS: Readonly<Record<LoadContext['preset'], Preset>> = {
  quick: {
    durationNs: 5e9,
    maxDurationFactor: 2,
    minQueries: { singleStream: 64, multiStream: 64, server: 1 },
    offlineSamples: 2048,
  },
  'mlperf-short': {
    durationNs: 10e9,
    maxDurationFactor: 10,
    minQueries: { singleStream: 64, multiStream: 662, server: 100 },
    offlineSamples: 4096,
  },
  mlperf: {
    durationNs: 600e9,
    maxDurationFactor: 10,
    minQueries: { singleStream: 64, multiStream: 662, server: 100 },
    offlineSamples: 24_576,
  },
};

/** Option of every load with a minimum duration; absent: the preset's. */
export const durationOption = () => duration({ above: '0s', most: '24h' }).optional();

/**
 * Option of loads that are judged by their tail: which percentile enough requests must be answered for, 662 for p99, 64 for
 * p90 (`percentileFloor`).
 */
export const percentileOption = () =>
  z
    .enum(['p90', 'p99'])
    .default('p99')
    .describe('of latency, by which it is judged: p99 needs 662 answered requests, p90 needs 64');

/** Option of every load: in which order samples are taken (schedule.ts). */
export const sampleOrderOption = () => z.enum(SAMPLE_ORDERS).default('random');

/** Option that counts requests, queries or connections. */
export const countOption = () => z.int({ error: 'must be a whole number' }).positive({ error: 'must be at least 1' });

/** How many samples a performance run draws from. Throws UserError where there is none. */
export function population(context: LoadContext): number {
  const count = Math.min(context.performanceSampleCount, context.totalSampleCount);
  if (count >= 1) return count;
  throw new UserError({ place: 'samples', found: 'the sample library is empty', allowed: 'one sample or more' });
}

/** Indices drawn for a closed loop, whose length nobody knows beforehand: it cycles where it outlasts them. */
export const CLOSED_INDICES = 2 ** 20;
