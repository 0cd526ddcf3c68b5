import type { Evaluation } from '../contract.js';
import { expectedImprovement, probabilityKept } from './acquisition.js';
import type { GrowingProcess, Prediction } from './gaussian-process.js';

/** A point that was measured, by its number. */
export interface Observation {
  readonly number: number;
  readonly evaluation: Evaluation;
}

/** Of the candidates the one with the greatest value; the first of equals. */
export function argmax(candidates: readonly number[], value: (candidate: number, index: number) => number): number {
  let chosen = candidates[0]!;
  let greatest = Number.NEGATIVE_INFINITY;
  candidates.forEach((candidate, index) => {
    const found = value(candidate, index);
    if (found > greatest) {
      greatest = found;
      chosen = candidate;
    }
  });
  return chosen;
}

/**
 * The candidate with the greatest expected improvement of the first objective's logarithm times the probability that every
 * constraint is kept; where nothing kept them yet, with the greatest such probability. Failed points count as bad in both.
 * `process` has measured what was seen, in that order.
 * Source: Gardner et al., Bayesian optimization with inequality constraints (ICML 2014).
 */
export function proposeConstrained(
  process: GrowingProcess,
  seen: readonly Observation[],
  candidates: readonly number[],
): number {
  const kept = seen.flatMap(({ evaluation }) =>
    evaluation.state === 'measured' && evaluation.excess.every((excess) => excess <= 0)
      ? [logOf(evaluation.objectives[0]!)]
      : [],
  );
  const constraints = constraintPredictions(process, seen, candidates);
  const feasible = (index: number) =>
    constraints.reduce((product, { mean, sd }) => product * probabilityKept(mean[index]!, sd[index]!), 1);
  if (kept.length === 0) return argmax(candidates, (_, index) => feasible(index));
  const objective = process.fit(objectiveValues(seen)).predict(candidates);
  const best = Math.max(...kept);
  return argmax(
    candidates,
    (_, index) => expectedImprovement(objective.mean[index]!, objective.sd[index]!, best) * feasible(index),
  );
}

/** What is believed of a point before (in the unit of the values), corrected by what a process learnt of the errors. */
export interface Posterior {
  /** Of each candidate, in their order. */
  readonly mean: Float64Array;
  readonly sd: Float64Array;
  /** Of what was measured. */
  readonly best: number;
}

/** A process over the errors of a belief at the measured points, asked about the candidates. It has measured what was seen. */
export function posteriorOver(
  process: GrowingProcess,
  seen: readonly { readonly number: number; readonly value: number }[],
  candidates: readonly number[],
  believed: (number: number) => number,
): Posterior {
  const errors = seen.map(({ number, value }) => value - believed(number));
  const { mean, sd } = process.fit(errors).predict(candidates);
  return {
    mean: mean.map((error, index) => believed(candidates[index]!) + error),
    sd,
    best: Math.max(...seen.map(({ value }) => value)),
  };
}

/** The candidate with the greatest expected improvement. */
export function mostPromising(candidates: readonly number[], { mean, sd, best }: Posterior): number {
  return argmax(candidates, (_, index) => expectedImprovement(mean[index]!, sd[index]!, best));
}

/** Logarithm of a rate or a merit; what is 0 or less counts as a millionth. */
export function logOf(value: number): number {
  return Math.log(Math.max(1e-6, value));
}

function objectiveValues(seen: readonly Observation[]): number[] {
  const measured = seen.flatMap(({ evaluation }) =>
    evaluation.state === 'measured' ? [logOf(evaluation.objectives[0]!)] : [],
  );
  const worst = measured.length > 0 ? Math.min(...measured) : 0;
  return seen.map(({ evaluation }) => (evaluation.state === 'measured' ? logOf(evaluation.objectives[0]!) : worst));
}

/** Excess is a ratio to a bound: its logarithm, so that ten times too slow does not drown twice too slow. */
function constraintPredictions(
  process: GrowingProcess,
  seen: readonly Observation[],
  candidates: readonly number[],
): Prediction[] {
  const count = Math.max(
    0,
    ...seen.map(({ evaluation }) => (evaluation.state === 'measured' ? evaluation.excess.length : 0)),
  );
  return Array.from({ length: count }, (_, k) => {
    const values = seen.map(({ evaluation }) =>
      evaluation.state === 'measured' ? Math.log(Math.max(0.05, 1 + evaluation.excess[k]!)) : FAILED,
    );
    return process.fit(values).predict(candidates);
  });
}

/** A failed point stands for a bound exceeded e times over. */
const FAILED = 1;
