import { type Ground, samplesToNear } from '../../optimizers/search/claims.js';
import { searchNamed } from '../../optimizers/search/index.js';
import { checked } from '../../results/lookup.js';

/** What was tried for each option of a search. nsga2 is not among them: its population serves a front, which one objective can't judge. */
const TRIED: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  'hill-climb': { radius: [1, 2, 3], magnitude: [1, 2, 5] },
  bayesian: { initial: [2, 4, 8, 16] },
  morphling: { ridge: [0.5, 2, 8], disagreement: [0, 3, 6] },
  falcon: { exploration: [0.25, 0.5, 1, 2], leaf: [24, 48, 96] },
};

export interface TriedOptions {
  readonly search: string;
  readonly options: Readonly<Record<string, number>>;
  /** They are what the search takes by itself. */
  readonly isDefault: boolean;
  readonly cappedMean: number;
  readonly reached: number;
}

/**
 * Every combination of options on models that nothing is judged on, the best of each search first: most runs that came near
 * the optimum, then least points in the mean, where a run that did not counts as the budget and one more.
 */
export async function tryOptions(
  on: Ground,
  common: { readonly seeds: readonly number[]; readonly budget: number; readonly known: Ground },
): Promise<TriedOptions[]> {
  const all: TriedOptions[] = [];
  for (const [search, grid] of Object.entries(TRIED)) {
    const defaults = checked(searchNamed(search).options, {}, search) as Readonly<Record<string, unknown>>;
    const tried: TriedOptions[] = [];
    for (const options of combinations(grid)) {
      const { cappedMean, reached } = await samplesToNear(on, search, { ...common, options });
      const isDefault = Object.entries(options).every(([key, value]) => defaults[key] === value);
      tried.push({ search, options, isDefault, cappedMean, reached });
    }
    all.push(...tried.sort((a, b) => b.reached - a.reached || a.cappedMean - b.cappedMean));
  }
  return all;
}

function combinations(grid: Readonly<Record<string, readonly number[]>>): Record<string, number>[] {
  return Object.entries(grid).reduce<Record<string, number>[]>(
    (found, [key, values]) => found.flatMap((each) => values.map((value) => ({ ...each, [key]: value }))),
    [{}],
  );
}
