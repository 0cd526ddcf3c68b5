import { noiseFloor, type PairedRatio, pairedRatio } from './stats/index.js';
import type { TrialOutcome, TrialSummary } from './summary.js';

/** The figures that two systems are compared by. `better` is the direction of an improvement. */
export const COMPARED = [
  { name: 'throughput', better: 'higher', of: (summary: TrialSummary) => summary.throughputPerSecond },
  { name: 'p50Latency', better: 'lower', of: (summary: TrialSummary) => summary.latencyNs.p50.value },
  { name: 'p99Latency', better: 'lower', of: (summary: TrialSummary) => summary.latencyNs.p99.value },
  { name: 'cpuPerRequest', better: 'lower', of: cpuSecondsPerRequest },
] as const;

export type ComparedName = (typeof COMPARED)[number]['name'];

/** What may be said of a ratio. Only `better` and `worse` are claims. */
export type Claim =
  | { readonly state: 'better' | 'worse'; readonly text: string }
  | { readonly state: 'indication'; readonly text: string }
  | { readonly state: 'equal'; readonly text: string }
  | { readonly state: 'unknown'; readonly text: string };

/** System `a` against system `b` under one load and transport. */
export interface Comparison {
  readonly load: string;
  readonly transport: string;
  readonly a: string;
  readonly b: string;
  readonly figure: ComparedName;
  /** a / b over paired repeats. */
  readonly ratio: PairedRatio;
  /** Largest ratio of a system against itself (A/A pairs); null where none was measured. */
  readonly noiseFloor: number | null;
  readonly claim: Claim;
  /** Pairs of which a trial was INVALID, and which were used all the same: the claim is then an indication at best. */
  readonly invalidPairs: number;
}

export interface CompareOptions {
  readonly seed: bigint;
  /** Two names of one system: their ratios are the noise floor. */
  readonly identical?: readonly [string, string] | undefined;
}

/** Repeats that a claim needs. */
export const MIN_REPEATS = 5;

/**
 * Compares two systems over every load and transport that both have completed. Repeats are paired by number: they were run
 * beside each other, so their ratio cancels the machine's mood. Warm figures only; failed and skipped trials have none.
 */
export function compareSystems(
  outcomes: readonly TrialOutcome[],
  a: string,
  b: string,
  options: CompareOptions,
): readonly Comparison[] {
  const summaries = outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []));
  return cells(summaries, a).flatMap(({ load, transport }) => {
    const pairs = pairsOf(summaries, load, transport, a, b);
    if (pairs.length === 0) return [];
    const twins = options.identical ? pairsOf(summaries, load, transport, ...options.identical) : [];
    return COMPARED.map((figure) => compareCell({ load, transport, a, b }, figure, pairs, twins, options.seed));
  });
}

type Pair = readonly [TrialSummary, TrialSummary];
type Figure = (typeof COMPARED)[number];

function compareCell(
  cell: Pick<Comparison, 'load' | 'transport' | 'a' | 'b'>,
  figure: Figure,
  pairs: readonly Pair[],
  twins: readonly Pair[],
  seed: bigint,
): Comparison {
  const column = (list: readonly Pair[], side: 0 | 1) => list.map((pair) => figure.of(pair[side]) ?? Number.NaN);
  const ratio = pairedRatio(column(pairs, 0), column(pairs, 1), seed);
  const floor = noiseFloor(column(twins, 0), column(twins, 1));
  const invalidPairs = pairs.filter((pair) => pair.some(({ verdict }) => verdict.state === 'INVALID')).length;
  return {
    ...cell,
    figure: figure.name,
    ratio,
    noiseFloor: floor,
    invalidPairs,
    claim: claimOf(ratio, figure.better, floor, invalidPairs),
  };
}

/** Better or worse only where the interval excludes 1, the shift exceeds the noise floor, and repeats suffice. */
function claimOf(ratio: PairedRatio, better: 'higher' | 'lower', floor: number | null, invalid: number): Claim {
  const { ratio: value, interval, pairs } = ratio;
  if (value === null) return { state: 'unknown', text: 'no pair of figures' };
  const direction = value > 1 === (better === 'higher') ? 'better' : 'worse';
  if (pairs < MIN_REPEATS || interval === null) return { state: 'indication', text: `indication, n = ${pairs}` };
  if (interval.low <= 1 && interval.high >= 1)
    return { state: 'equal', text: `no difference found (the interval holds 1, n = ${pairs})` };
  const shift = Math.max(value, 1 / value);
  if (floor !== null && shift <= floor)
    return { state: 'equal', text: `within the noise (A/A pairs differ by up to ${percentOver(floor)})` };
  if (invalid > 0) return { state: 'indication', text: `indication, ${invalid} of ${pairs} pairs INVALID` };
  return { state: direction, text: `${direction}, n = ${pairs}` };
}

function percentOver(factor: number): string {
  return `${((factor - 1) * 100).toFixed(1)} %`;
}

function cells(summaries: readonly TrialSummary[], system: string) {
  const found = new Map<string, { readonly load: string; readonly transport: string }>();
  for (const { trial } of summaries)
    if (trial.system === system && trial.loadType !== 'probe' && trial.loadType !== 'accuracy')
      found.set(`${trial.load}\n${trial.transport}`, { load: trial.load, transport: trial.transport });
  return [...found.values()];
}

function pairsOf(summaries: readonly TrialSummary[], load: string, transport: string, a: string, b: string): Pair[] {
  const repeats = (system: string) =>
    new Map(
      summaries
        .filter(({ trial }) => trial.system === system && trial.load === load && trial.transport === transport)
        .map((summary) => [`${summary.trial.repeat} ${summary.trial.simulated}`, summary]),
    );
  const others = repeats(b);
  return [...repeats(a)].flatMap(([key, summary]): Pair[] => {
    const other = others.get(key);
    return other ? [[summary, other]] : [];
  });
}

/** Of the server and its workers, not of the load; null where nobody measured it. */
function cpuSecondsPerRequest({ processes, counts }: TrialSummary): number | null {
  const serving = processes.filter(({ role }) => role !== 'load');
  if (serving.length === 0 || counts.ok === 0) return null;
  const seconds = serving.reduce((sum, { userSeconds, systemSeconds }) => sum + userSeconds + systemSeconds, 0);
  return seconds > 0 ? seconds / counts.ok : null;
}
