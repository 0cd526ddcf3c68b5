import {
  benjaminiHochberg,
  blockRatioInterval,
  FALSE_DISCOVERY_RATE,
  noiseFloor,
  type PairedRatio,
  pairedRatio,
  repeatNoise,
} from './stats/index.js';
import type { Interval, TrialOutcome, TrialSummary } from './summary.js';

/** The figures that two systems are compared by. `better` is the direction of an improvement. */
export const COMPARED = [
  { name: 'throughput', better: 'higher', of: (summary: TrialSummary) => summary.throughputPerSecond },
  { name: 'p50Latency', better: 'lower', percentile: 0.5, of: ({ latencyNs }: TrialSummary) => latencyNs.p50.value },
  { name: 'p99Latency', better: 'lower', percentile: 0.99, of: ({ latencyNs }: TrialSummary) => latencyNs.p99.value },
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
  /** The p-value adjusted for the whole table (Benjamini–Hochberg); null where there is none. */
  readonly adjustedP: number | null;
  /** What ratio a system shows against itself, as a factor ≥ 1; null where it is not known. */
  readonly noiseFloor: number | null;
  /** `twins`: A/A pairs, the largest ratio. `repeats`: the ratio in neighbouring repeats. */
  readonly noiseFrom: 'twins' | 'repeats' | null;
  /** Of a latency's ratio within these trials, by blocks: where repeats are too few for an interval of their own. */
  readonly within: Interval | null;
  readonly claim: Claim;
  /** Pairs of which a trial was INVALID, and which were used all the same: the claim is then an indication at best. */
  readonly invalidPairs: number;
}

export interface CompareOptions {
  readonly seed: bigint;
  /** Two names of one system: their ratios are the noise floor. */
  readonly identical?: readonly [string, string] | undefined;
  /** A trial's latencies in the order of its schedule (NaN where there is none), for intervals within trials. */
  readonly latencies?: ((trialId: string) => ArrayLike<number> | undefined) | undefined;
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
  const summaries = summariesOf(outcomes);
  const table = cells(summaries, a).flatMap(({ load, transport }) => {
    const pairs = pairsOf(repeatsOf(summaries, a, load, transport), repeatsOf(summaries, b, load, transport));
    const twins = options.identical?.map((name) => repeatsOf(summaries, name, load, transport));
    return observe({ load, transport, a, b }, pairs, twins ? pairsOf(twins[0]!, twins[1]!) : [], options);
  });
  return judged(table, claimOf);
}

/**
 * The systems that two runs have in common, the first run's against the second's. Repeats are paired by number, which cancels
 * the schedule where the seeds are the same, but nothing of what the machine did in between: no claim, however clear.
 */
export function compareRuns(
  first: readonly TrialOutcome[],
  second: readonly TrialOutcome[],
  options: Pick<CompareOptions, 'seed'>,
): readonly (Comparison & { readonly system: string })[] {
  const [here, there] = [summariesOf(first), summariesOf(second)];
  const systems = [...new Set(here.map(({ trial }) => trial.system))];
  const table = systems.flatMap((system) =>
    cells(here, system).flatMap(({ load, transport }) => {
      const pairs = pairsOf(repeatsOf(here, system, load, transport), repeatsOf(there, system, load, transport));
      const cell = { load, transport, a: system, b: system };
      return observe(cell, pairs, [], options).map((seen) => ({ ...seen, system }));
    }),
  );
  return judged(table, (seen) => apart(claimOf(seen)));
}

type Pair = readonly [TrialSummary, TrialSummary];
type Cell = Pick<Comparison, 'load' | 'transport' | 'a' | 'b'>;
type Figure = (typeof COMPARED)[number];
/** A comparison before the table is known that it stands in. */
type Observed = Omit<Comparison, 'claim' | 'adjustedP'>;

function observe(cell: Cell, pairs: readonly Pair[], twins: readonly Pair[], options: CompareOptions): Observed[] {
  if (pairs.length === 0) return [];
  const invalidPairs = pairs.filter((pair) => pair.some(({ verdict }) => verdict.state === 'INVALID')).length;
  return COMPARED.map((figure) => {
    const [left, right] = [column(figure, pairs, 0), column(figure, pairs, 1)];
    return {
      ...{ ...cell, figure: figure.name, invalidPairs },
      ratio: pairedRatio(left, right, options.seed),
      ...floorOf(noiseFloor(column(figure, twins, 0), column(figure, twins, 1)), left, right),
      within: withinTrials(figure, pairs, options),
    };
  });
}

function column(figure: Figure, pairs: readonly Pair[], side: 0 | 1): number[] {
  return pairs.map((pair) => figure.of(pair[side]) ?? Number.NaN);
}

function floorOf(
  twins: number | null,
  left: readonly number[],
  right: readonly number[],
): Pick<Comparison, 'noiseFloor' | 'noiseFrom'> {
  if (twins !== null) return { noiseFloor: twins, noiseFrom: 'twins' };
  const repeats = repeatNoise(left, right);
  return { noiseFloor: repeats, noiseFrom: repeats === null ? null : 'repeats' };
}

/** Repeats enough for a claim speak for themselves. */
function withinTrials(figure: Figure, pairs: readonly Pair[], options: CompareOptions): Interval | null {
  if (!('percentile' in figure) || pairs.length >= MIN_REPEATS || !options.latencies) return null;
  const records = pairs.map(([a, b]) => [options.latencies!(a.trial.id), options.latencies!(b.trial.id)] as const);
  const known = records.flatMap(([a, b]) => (a && b ? [[a, b] as const] : []));
  // Closed loops end where their time does: request i of the one is not request i of the other.
  if (known.length < pairs.length || known.some(([a, b]) => a.length !== b.length)) return null;
  if (pairs.some((pair) => pair.some((summary) => figure.of(summary) === null))) return null;
  return blockRatioInterval(known, figure.percentile, options.seed)?.interval ?? null;
}

function judged<Seen extends Observed>(
  table: readonly Seen[],
  judge: (seen: Seen & { readonly adjustedP: number | null }, looks: number) => Claim,
): (Seen & { readonly adjustedP: number | null; readonly claim: Claim })[] {
  const adjusted = benjaminiHochberg(table.map(({ ratio }) => ratio.pValue));
  const looks = adjusted.filter((p) => p !== null).length;
  return table.map((seen, i) => {
    const known = { ...seen, adjustedP: adjusted[i]! };
    return { ...known, claim: judge(known, looks) };
  });
}

/**
 * Better or worse only where the interval excludes 1, the shift exceeds the noise floor, repeats suffice, and the p-value
 * stands among all that the table looked at.
 */
function claimOf(seen: Omit<Comparison, 'claim'>, looks = 1): Claim {
  const { ratio, noiseFloor: floor, noiseFrom, invalidPairs: invalid, adjustedP } = seen;
  const { ratio: value, interval, pairs } = ratio;
  if (value === null) return { state: 'unknown', text: 'no pair of figures' };
  if (pairs < MIN_REPEATS || interval === null) return { state: 'indication', text: `indication, n = ${pairs}` };
  if (interval.low <= 1 && interval.high >= 1)
    return { state: 'equal', text: `no difference found (the interval holds 1, n = ${pairs})` };
  if (floor !== null && Math.max(value, 1 / value) <= floor) {
    const source = noiseFrom === 'twins' ? 'A/A pairs differ by up to' : 'neighbouring repeats differ by';
    return { state: 'equal', text: `within the noise (${source} ${percentOver(floor)})` };
  }
  if (adjustedP !== null && adjustedP > FALSE_DISCOVERY_RATE)
    return { state: 'indication', text: `indication: p ${adjustedP.toFixed(3)} adjusted for ${looks} comparisons` };
  if (invalid > 0) return { state: 'indication', text: `indication, ${invalid} of ${pairs} pairs INVALID` };
  const direction = value > 1 === (betterOf(seen.figure) === 'higher') ? 'better' : 'worse';
  return { state: direction, text: `${direction}, n = ${pairs}` };
}

function apart(claim: Claim): Claim {
  if (claim.state !== 'better' && claim.state !== 'worse') return claim;
  return { state: 'indication', text: `${claim.text}, not interleaved` };
}

/** The direction of an improvement. */
function betterOf(name: ComparedName): 'higher' | 'lower' {
  return COMPARED.find((figure) => figure.name === name)!.better;
}

function percentOver(factor: number): string {
  return `${((factor - 1) * 100).toFixed(1)} %`;
}

function summariesOf(outcomes: readonly TrialOutcome[]): TrialSummary[] {
  return outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []));
}

function cells(summaries: readonly TrialSummary[], system: string) {
  const found = new Map<string, { readonly load: string; readonly transport: string }>();
  for (const { trial } of summaries)
    if (trial.system === system && trial.loadType !== 'probe' && trial.loadType !== 'accuracy')
      found.set(`${trial.load}\n${trial.transport}`, { load: trial.load, transport: trial.transport });
  return [...found.values()];
}

function repeatsOf(summaries: readonly TrialSummary[], system: string, load: string, transport: string) {
  const own = summaries.filter(
    ({ trial }) => trial.system === system && trial.load === load && trial.transport === transport,
  );
  return new Map(own.map((summary) => [`${summary.trial.repeat} ${summary.trial.simulated}`, summary]));
}

function pairsOf(left: ReadonlyMap<string, TrialSummary>, right: ReadonlyMap<string, TrialSummary>): Pair[] {
  return [...left].flatMap(([key, summary]): Pair[] => {
    const other = right.get(key);
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
