import { bisection, type ShareEvidence, type ShareTest, shareTest } from '../results/stats/index.js';

/** What one probe at a rate showed. */
export interface PeakProbe {
  readonly rate: number;
  readonly outcome: 'pass' | 'fail' | 'undecided';
  /** Why, in words. */
  readonly reason: string;
  readonly evidence: ShareEvidence;
  readonly seconds: number;
  /** The load process, not the system, was the limit. */
  readonly generatorLimited: boolean;
}

export interface PeakSettings {
  /** The peak is sought between these, requests per second. */
  readonly low: number;
  readonly high: number;
  /** The interval's credible level. */
  readonly level: number;
  /** It is done when high / low − 1 of the interval is at most this. */
  readonly precision: number;
  readonly maxProbes: number;
}

export interface Peak {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly probes: readonly PeakProbe[];
  /** Why it ended; `close`: what is left is too close to the peak for probes of this length to call. */
  readonly ended: 'precise' | 'close' | 'probes' | 'interrupted';
  /** The interval touches the border of the range that was searched, or the load process was the limit. */
  readonly caveat: string | null;
}

/** How sure a decided probe is taken to be: less than its test is, for a machine is not the same from one time to the next. */
const RELIABILITY = 0.95;
/** Probes at one rate before it counts as too close to call. */
const PATIENCE = 2;
/** Where it can't be called in the middle, it is asked nearer to the ends: first on the side where the peak seems to lie. */
const PLACES = { above: [0.75, 0.9, 0.25, 0.1], below: [0.25, 0.1, 0.75, 0.9] } as const;

/**
 * The highest rate that passes, by probabilistic bisection: an interval, not the last rate that did not fail. A rate that one
 * probe can't call is probed again, and its evidence adds up.
 */
export async function findPeak(
  settings: PeakSettings,
  probe: (rate: number, number: number, test: ShareTest) => Promise<PeakProbe | null>,
): Promise<Peak> {
  const { low, high, level, precision, maxProbes } = settings;
  const search = bisection(low, high);
  const probes: PeakProbe[] = [];
  const end = (ended: Peak['ended']): Peak => {
    const found = search.interval(level);
    return { ...found, level, probes, ended, caveat: caveatOf(found, settings, probes) };
  };
  let places: readonly number[] = [0.5];
  for (let next = 0; next < places.length; ) {
    const rate = search.quantile(places[next]!);
    const test = shareTest(TAIL, ALPHA);
    let outcome: PeakProbe['outcome'] = 'undecided';
    for (let tries = 0; tries < PATIENCE && outcome === 'undecided'; tries++) {
      if (probes.length === maxProbes) return end('probes');
      const seen = await probe(rate, probes.length + 1, test);
      if (seen === null) return end('interrupted');
      probes.push(seen);
      outcome = seen.outcome;
    }
    if (outcome === 'undecided') {
      if (next++ === 0) places = [0.5, ...PLACES[tendency(test.evidence)]];
      continue;
    }
    search.tell(rate, outcome === 'pass' ? 'above' : 'below', RELIABILITY);
    const found = search.interval(level);
    if (found.high / found.low - 1 <= precision) return end('precise');
    places = [0.5];
    next = 0;
  }
  return end('close');
}

/** On which side of the rate the peak seems to lie. */
function tendency({ hits, trials }: ShareEvidence): 'above' | 'below' {
  return hits <= TAIL * trials ? 'above' : 'below';
}

/** Each probe's answer is wrong with at most this probability. */
const ALPHA = 0.05;

/** The share of requests that may be over the bound: MLPerf server judges the p99. */
export const TAIL = 0.01;

function caveatOf(found: { low: number; high: number }, settings: PeakSettings, probes: readonly PeakProbe[]) {
  if (probes.some((each) => each.generatorLimited && each.rate <= found.high * 1.05))
    return 'the load process was the limit there: the system’s own peak may be higher';
  if (found.high > settings.high / 1.01) return 'it may be higher: no rate that was tried failed';
  if (found.low < settings.low * 1.01) return 'it may be lower: no rate that was tried passed';
  return null;
}
