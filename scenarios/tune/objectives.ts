import type { Evaluation } from '../../optimizers/search/index.js';
import type { TuningFigures } from '../../results/tuning.js';
import { formatDuration, formatRate } from '../../results/units.js';
import type { Constraints, Objective, ObjectiveName } from './spec.js';

interface ObjectiveDefinition {
  readonly unit: string;
  /** Without a direction: this one. */
  readonly better: 'max' | 'min';
  /** It can only be known by serving for real. */
  readonly realOnly: boolean;
  readonly of: (figures: TuningFigures) => number | null;
}

/** What a configuration can be chosen by. */
export const OBJECTIVES: Readonly<Record<ObjectiveName, ObjectiveDefinition>> = {
  throughput: { unit: '/s', better: 'max', realOnly: false, of: (figures) => figures.throughputPerSecond },
  p50Latency: { unit: 'ns', better: 'min', realOnly: false, of: (figures) => figures.p50LatencyNs },
  p99Latency: { unit: 'ns', better: 'min', realOnly: false, of: (figures) => figures.p99LatencyNs },
  cost: { unit: 'cores', better: 'min', realOnly: false, of: (figures) => figures.cores },
  cpuPerRequest: { unit: 's', better: 'min', realOnly: true, of: (figures) => figures.cpuSecondsPerRequest },
  accuracy: { unit: '', better: 'max', realOnly: false, of: (figures) => figures.accuracy },
};

/** Figures as a search sees them: objectives to be made large and positive, bounds as ratios. */
export function evaluate(
  figures: TuningFigures,
  objectives: readonly Objective[],
  constraints: Constraints,
  authorAccuracy: number | null,
): Evaluation {
  const values = objectives.map(({ name, direction }) => {
    const value = OBJECTIVES[name].of(figures);
    if (value === null) return undefined;
    // A rate is as good for a search as a duration, and stays positive.
    return direction === 'max' ? value : 1 / Math.max(value, Number.MIN_VALUE);
  });
  const missing = values.indexOf(undefined);
  if (missing >= 0) return { state: 'failed', reason: `${objectives[missing]!.name} is not known here` };
  return {
    state: 'measured',
    objectives: values as number[],
    excess: bounds(constraints, authorAccuracy).map((bound) => bound.excess(figures)),
  };
}

interface Bound {
  readonly text: string;
  readonly excess: (figures: TuningFigures) => number;
}

/** The constraints as sentences, and by how much each is broken. An unknown figure breaks its bound: it was not shown to hold. */
export function bounds(constraints: Constraints, authorAccuracy: number | null): Bound[] {
  const { p50LatencyNs, p99LatencyNs, errorRate, accuracy, relativeAccuracy, minThroughput, maxCost } = constraints;
  const above = (value: number | null, bound: number) => (value === null ? 1 : value / Math.max(bound, 1e-9) - 1);
  const below = (value: number | null, bound: number) => (value === null ? 1 : bound / Math.max(value, 1e-9) - 1);
  const found: (Bound | undefined)[] = [
    p50LatencyNs === undefined
      ? undefined
      : { text: `p50 ≤ ${formatDuration(p50LatencyNs)}`, excess: (f) => above(f.p50LatencyNs, p50LatencyNs) },
    p99LatencyNs === undefined
      ? undefined
      : { text: `p99 ≤ ${formatDuration(p99LatencyNs)}`, excess: (f) => above(f.p99LatencyNs, p99LatencyNs) },
    errorRate === undefined
      ? undefined
      : {
          text: `errors ≤ ${errorRate * 100} %`,
          excess: (f) => (f.errorRate! <= errorRate ? -1 : above(f.errorRate, errorRate)),
        },
    accuracy === undefined
      ? undefined
      : { text: `accuracy ≥ ${accuracy * 100} %`, excess: (f) => below(f.accuracy, accuracy) },
    relativeAccuracy === undefined
      ? undefined
      : {
          text: `accuracy ≥ ${relativeAccuracy * 100} % of the author's`,
          excess: (f) => below(f.accuracy, relativeAccuracy * (authorAccuracy ?? 1)),
        },
    minThroughput === undefined
      ? undefined
      : {
          text: `throughput ≥ ${formatRate(minThroughput)}`,
          excess: (f) => below(f.throughputPerSecond, minThroughput),
        },
    maxCost === undefined ? undefined : { text: `cost ≤ ${maxCost} cores`, excess: (f) => above(f.cores, maxCost) },
  ];
  return found.filter((bound) => bound !== undefined);
}

/** Whether the answers must be judged against labels. */
export function needsAccuracy(objectives: readonly Objective[], { accuracy, relativeAccuracy }: Constraints): boolean {
  return accuracy !== undefined || relativeAccuracy !== undefined || objectives.some(({ name }) => name === 'accuracy');
}
