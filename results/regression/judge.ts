import { COMPARED, type ComparedName, MIN_REPEATS } from '../compare.js';
import { benjaminiHochberg, FALSE_DISCOVERY_RATE } from '../stats/index.js';
import { hodgesLehmann, mannWhitney } from '../stats/rank-sum.js';
import { type QuantileShift, shiftFunction } from '../stats/shift-function.js';
import type { Interval } from '../summary.js';
import { type Baseline, baselineOf } from './baseline.js';
import { GRID, type HistoryCell, type HistoryEntry, type HistoryTrial } from './history.js';

export interface GateOptions {
  readonly seed: bigint;
  /** Shifts below this factor − 1 matter to nobody: 0.02 is 2 %. */
  readonly minShift: number;
}

/** One figure of one cell against its baseline. */
export interface GateFinding {
  readonly system: string;
  readonly load: string;
  readonly transport: string;
  readonly figure: ComparedName;
  /** VALID trials of the candidate, of the baseline, and the runs that these are of. */
  readonly trials: number;
  readonly baselineTrials: number;
  readonly baselineRuns: number;
  /** Candidate / baseline: Hodges–Lehmann of the logarithms; null where it can't be judged. */
  readonly ratio: number | null;
  readonly interval: Interval | null;
  /** Mann–Whitney, two-sided; and adjusted for all figures of all cells. */
  readonly pValue: number | null;
  readonly adjustedP: number | null;
  /** What baseline runs differ by among themselves, as a factor ≥ 1 (`Baseline.noiseFloor`); null below two runs. */
  readonly noiseFloor: number | null;
  readonly state: 'regressed' | 'improved' | 'level' | 'unjudged' | 'broken';
  readonly text: string;
  /** How the latency's quantiles moved, with their simultaneous band; of the latency figures that moved. */
  readonly quantiles: readonly QuantileShift[] | null;
}

/**
 * A run against its baseline, figure by figure. *Regressed* is said where the interval of the Hodges–Lehmann shift excludes
 * 1, the shift is the wrong way and exceeds both the noise between baseline runs and `minShift`, and the Mann–Whitney p-value
 * stands among all figures looked at. It is not yet a verdict: that takes a second run (`confirmed`).
 */
export function judgeRun(
  candidate: HistoryEntry,
  history: readonly HistoryEntry[],
  options: GateOptions,
): GateFinding[] {
  const seen = candidate.cells.flatMap((cell) => COMPARED.map((figure) => look(cell, figure, history, options)));
  const adjusted = benjaminiHochberg(seen.map(({ pValue }) => pValue));
  return seen.map((look, i) => finding(look, adjusted[i]!, options));
}

/** Those of the first run's regressions that the second shows too: same cell, same figure, same judgement. */
export function confirmed(first: readonly GateFinding[], second: readonly GateFinding[]): GateFinding[] {
  const again = new Set(second.filter(isBad).map(keyOf));
  return first.filter((each) => isBad(each) && again.has(keyOf(each)));
}

export function isBad({ state }: GateFinding): boolean {
  return state === 'regressed' || state === 'broken';
}

function keyOf({ system, load, transport, figure }: GateFinding): string {
  return JSON.stringify([system, load, transport, figure]);
}

type Figure = (typeof COMPARED)[number];
interface Look extends Omit<GateFinding, 'adjustedP' | 'state' | 'text' | 'quantiles'> {
  readonly better: 'higher' | 'lower';
  readonly broken: boolean;
  readonly here: readonly HistoryTrial[];
  readonly baseline: Baseline;
}

function look(cell: HistoryCell, figure: Figure, history: readonly HistoryEntry[], { seed }: GateOptions): Look {
  const { system, load, transport } = cell;
  const baseline = baselineOf(history, cell, figure.name, seed);
  const logs = (trials: readonly HistoryTrial[]) =>
    trials.flatMap(({ figures }) => {
      const value = figures[figure.name];
      return value !== null && value > 0 ? [Math.log(value)] : [];
    });
  const [x, y] = [logs(cell.trials), logs(baseline.trials)];
  const enough = x.length >= MIN_REPEATS && y.length >= MIN_REPEATS;
  const shift = enough ? hodgesLehmann(x, y) : undefined;
  const interval = shift?.interval;
  return {
    ...{ system, load, transport, figure: figure.name, better: figure.better, here: cell.trials, baseline },
    ...{ trials: x.length, baselineTrials: y.length, baselineRuns: baseline.runs, noiseFloor: baseline.noiseFloor },
    ratio: shift ? Math.exp(shift.shift) : null,
    interval: interval ? { ...interval, low: Math.exp(interval.low), high: Math.exp(interval.high) } : null,
    pValue: enough ? mannWhitney(x, y).pValue : null,
    broken: cell.trials.length + cell.invalid === 0 && cell.failed > 0 && y.length > 0,
  };
}

function finding(
  { better, broken, here, baseline, ...seen }: Look,
  adjustedP: number | null,
  options: GateOptions,
): GateFinding {
  const known = { ...seen, adjustedP };
  const { state, text } = broken ? BROKEN : verdictOf(known, better, options);
  const moved = state === 'regressed' || state === 'improved';
  const quantiles =
    moved && seen.figure.endsWith('Latency') ? quantileShifts(here, baseline.trials, options.seed) : null;
  return { ...known, state, text, quantiles };
}

const BROKEN = { state: 'broken', text: 'every trial failed, and the baseline has figures' } as const;

function verdictOf(
  seen: Omit<GateFinding, 'state' | 'text' | 'quantiles'>,
  better: 'higher' | 'lower',
  { minShift }: GateOptions,
): Pick<GateFinding, 'state' | 'text'> {
  const { ratio, interval, adjustedP, noiseFloor: floor, trials, baselineTrials } = seen;
  if (ratio === null || interval === null || adjustedP === null)
    return {
      state: 'unjudged',
      text: `${trials} VALID trials have the figure, ${baselineTrials} of the baseline; ${MIN_REPEATS} of each are needed`,
    };
  if (interval.low <= 1 && interval.high >= 1) return { state: 'level', text: 'no shift found (the interval holds 1)' };
  const size = Math.max(ratio, 1 / ratio);
  if (floor !== null && size <= floor)
    return { state: 'level', text: `within the noise (baseline runs differ by up to ${percent(floor)})` };
  if (size <= 1 + minShift) return { state: 'level', text: `shift below the ${percent(1 + minShift)} that matter` };
  if (adjustedP > FALSE_DISCOVERY_RATE)
    return { state: 'level', text: `p ${adjustedP.toPrecision(2)} after adjustment for all figures` };
  const improved = ratio > 1 === (better === 'higher');
  const text = `${ratio > 1 ? '+' : '−'}${percent(ratio > 1 ? ratio : 2 - ratio)}`;
  return { state: improved ? 'improved' : 'regressed', text };
}

function quantileShifts(here: readonly HistoryTrial[], there: readonly HistoryTrial[], seed: bigint) {
  const all = [...here, ...there];
  const known = GRID.map((_, k) => k).filter((k) => all.every(({ quantilesNs }) => (quantilesNs[k] ?? 0) > 0));
  if (known.length === 0) return null;
  const rows = (trials: readonly HistoryTrial[]) => trials.map(({ quantilesNs }) => known.map((k) => quantilesNs[k]!));
  return shiftFunction(
    rows(here),
    rows(there),
    known.map((k) => GRID[k]!),
    seed,
  );
}

function percent(factor: number): string {
  return `${((factor - 1) * 100).toFixed(1)} %`;
}
