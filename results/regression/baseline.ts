import type { ComparedName } from '../compare.js';
import { changePoints } from '../stats/change-points.js';
import { median } from '../stats/index.js';
import { predictionHalfWidth } from '../stats/interval.js';
import type { HistoryCell, HistoryEntry, HistoryTrial } from './history.js';

type Place = Pick<HistoryCell, 'system' | 'load' | 'transport'>;

/** What a new run of a cell is judged by. */
export interface Baseline {
  readonly runs: number;
  readonly trials: readonly HistoryTrial[];
  /**
   * What one more run may differ by although nothing changed, as a factor ≥ 1: the larger of the largest ratio of a run's median
   * against the median of the others', and (from three runs on) the 95 % prediction interval for one more run. Null below two runs.
   */
  readonly noiseFloor: number | null;
}

/** One run's median of a figure, in the order of the history. */
export interface RunPoint {
  readonly entry: HistoryEntry;
  readonly trials: readonly HistoryTrial[];
  readonly median: number;
}

/** The most runs that a baseline looks back: what was a hundred nights ago says little of last night's machine. */
const WINDOW = 20;

/** The last segment of a cell's history without the runs that were judged regressions. */
export function baselineOf(
  history: readonly HistoryEntry[],
  cell: Place,
  figure: ComparedName,
  seed: bigint,
): Baseline {
  const points = pointsOf(history, cell, figure).filter(({ entry }) => entry.verdict !== 'regressed');
  const last = points.slice(segmentStarts(points, seed).at(-1) ?? 0).slice(-WINDOW);
  return {
    runs: last.length,
    trials: last.flatMap(({ trials }) => trials),
    noiseFloor: last.length < 2 ? null : noiseOf(last.map(({ median }) => median)),
  };
}

/** A cell's runs with at least one VALID trial that has the figure. */
export function pointsOf(history: readonly HistoryEntry[], cell: Place, figure: ComparedName): RunPoint[] {
  return history.flatMap((entry) => {
    const own = entry.cells.find(
      ({ system, load, transport }) => system === cell.system && load === cell.load && transport === cell.transport,
    );
    const trials = (own?.trials ?? []).filter(({ figures }) => (figures[figure] ?? 0) > 0);
    return trials.length === 0
      ? []
      : [{ entry, trials, median: median(trials.map((trial) => trial.figures[figure]!)) }];
  });
}

/** Where segments begin: at 0, at change points of the medians, and where a run was accepted as the new level. */
export function segmentStarts(points: readonly RunPoint[], seed: bigint): number[] {
  const accepted = points.flatMap(({ entry }, i) => (entry.verdict === 'accepted' ? [i] : []));
  const bounds = [...new Set([0, ...accepted, points.length])].sort((a, b) => a - b);
  const changes = bounds.slice(0, -1).flatMap((from, k) => {
    const part = points.slice(from, bounds[k + 1]).map(({ median }) => Math.log(median));
    return changePoints(part, { seed }).map(({ at }) => from + at);
  });
  return [...new Set([...bounds.slice(0, -1), ...changes])].sort((a, b) => a - b);
}

function noiseOf(medians: readonly number[]): number {
  const ratios = medians.map((own, i) => own / median(medians.filter((_, k) => k !== i)));
  const seen = Math.max(...ratios.map((ratio) => Math.max(ratio, 1 / ratio)));
  return medians.length < 3 ? seen : Math.max(seen, Math.exp(predictionHalfWidth(medians.map(Math.log))));
}
