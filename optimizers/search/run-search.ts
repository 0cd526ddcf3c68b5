import type { Evaluation, Point, Search, Space } from './contract.js';
import { isBetter, violation } from './merit.js';
import { numberOf } from './space.js';

/** One evaluation of a search, in order. */
export interface SearchStep {
  readonly point: Point;
  readonly evaluation: Evaluation;
}

export interface SearchOutcome {
  readonly steps: readonly SearchStep[];
  /** Number of the best step; null where nothing kept its constraints. */
  readonly best: number | null;
  /** The search had nothing more to ask; false: the budget was spent or it was stopped. */
  readonly exhausted: boolean;
}

export interface SearchRun {
  readonly space: Space;
  readonly search: Search;
  /** Points evaluated at most. */
  readonly budget: number;
  readonly evaluate: (point: Point) => Promise<Evaluation>;
  /** What an earlier run of the same search found: answered without evaluating. */
  readonly history?: readonly SearchStep[] | undefined;
  readonly onStep?: ((step: SearchStep, number: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Carries a search out. A search is deterministic, so that with the history of an interrupted one it asks for the same points
 * and is answered from there. No point is evaluated twice. An abort between two evaluations ends it with what there is.
 */
export async function runSearch(run: SearchRun): Promise<SearchOutcome> {
  const { space, search, budget, evaluate } = run;
  const known = new Map(run.history?.map(({ point, evaluation }) => [numberOf(space, point), evaluation]));
  const asked = new Set<number>();
  const steps: SearchStep[] = [];
  let asking = search.next();
  while (!asking.done) {
    const point = asking.value;
    const number = numberOf(space, point);
    const isNew = !asked.has(number);
    if (isNew && (asked.size >= budget || run.signal?.aborted)) return { steps, best: bestOf(steps), exhausted: false };
    const evaluation = known.get(number) ?? (await evaluate(point));
    known.set(number, evaluation);
    if (isNew) {
      asked.add(number);
      steps.push({ point, evaluation });
      run.onStep?.(steps.at(-1)!, steps.length - 1);
    }
    asking = search.next(evaluation);
  }
  return { steps, best: bestOf(steps), exhausted: true };
}

/** The step that is best by the first objective and keeps all constraints. */
export function bestOf(steps: readonly SearchStep[]): number | null {
  let best: number | null = null;
  steps.forEach(({ evaluation }, number) => {
    if (violation(evaluation) > 0) return;
    if (best === null || isBetter(evaluation, steps[best]!.evaluation)) best = number;
  });
  return best;
}
