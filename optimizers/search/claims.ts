import { FastRandom, mean, permutation } from '../../results/stats/index.js';
import type { Evaluation, ResponseTable } from './contract.js';
import { violation } from './merit.js';
import { createSearch } from './registry.js';
import {
  priorOf,
  profileEstimate,
  responseTable,
  type SyntheticModel,
  syntheticModel,
  TABLE_SPACE,
} from './response-tables.js';
import { runSearch } from './run-search.js';
import { numberOf } from './space.js';

/** Synthetic models with their whole tables: what a claim about a search is tested on. */
export interface Ground {
  readonly models: readonly SyntheticModel[];
  readonly tables: readonly (readonly Evaluation[])[];
  /** The best objective of each model that keeps all bounds. */
  readonly optima: readonly number[];
}

/** Makes the tables of the models with these seeds, about 0.4 s each. */
export function ground(modelSeeds: readonly number[]): Ground {
  const models = modelSeeds.map(syntheticModel);
  const tables = models.map((model) => responseTable(model));
  return { models, tables, optima: tables.map((table) => Math.max(...table.map(worth))) };
}

export interface ClaimOptions {
  readonly seeds: readonly number[];
  readonly budget: number;
  /** Of the search; default its own. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Models whose tables are known beforehand; default: the others of the ground. */
  readonly known?: Ground | undefined;
  /** Share of the optimum that counts as near; default 0.95. */
  readonly near?: number | undefined;
  /** Negative control: the known tables with their points shuffled. */
  readonly shuffledPriors?: boolean | undefined;
  /** Negative control: without the operator profile. */
  readonly withoutProfile?: boolean | undefined;
}

export interface Claim {
  /** Points until the first one near the optimum, over models × seeds; Infinity where the budget did not do. */
  readonly median: number;
  readonly q25: number;
  readonly q75: number;
  /** The same median of each model, ascending: how much of it is the model's. */
  readonly byModel: readonly number[];
  /** Mean, where a run that did not get near counts as the budget and one more. */
  readonly cappedMean: number;
  /** Share of runs that got near. */
  readonly reached: number;
  /** Best found ÷ optimum at the end, mean. */
  readonly meanShare: number;
  readonly runs: number;
  /** Runs that asked for other points than all before: a search that draws nothing does the same with every seed. */
  readonly distinct: number;
  /** By model, in the ground's order: points of each seed's run. */
  readonly samples: readonly (readonly number[])[];
}

/** How many points a search needs to come near the true optimum: every model in turn is the new one. */
export async function samplesToNear(on: Ground, name: string, options: ClaimOptions): Promise<Claim> {
  const { seeds, budget, near = 0.95 } = options;
  const byModel: number[][] = [];
  const shares: number[] = [];
  const asked = new Set<string>();
  for (let m = 0; m < on.models.length; m++) {
    const samples: number[] = [];
    for (const seed of seeds) {
      const { steps } = await searchTable(on, m, name, seed, options);
      const found = steps.map(({ evaluation }) => worth(evaluation) / on.optima[m]!);
      const first = found.findIndex((share) => share >= near);
      samples.push(first < 0 ? Number.POSITIVE_INFINITY : first + 1);
      shares.push(Math.max(...found));
      asked.add([m, ...steps.map(({ point }) => numberOf(TABLE_SPACE, point))].join());
    }
    byModel.push(samples);
  }
  const all = byModel.flat();
  return {
    median: quantileOf(all, 0.5),
    q25: quantileOf(all, 0.25),
    q75: quantileOf(all, 0.75),
    byModel: byModel.map((samples) => quantileOf(samples, 0.5)).sort((a, b) => a - b),
    cappedMean: mean(Float64Array.from(all, (count) => Math.min(count, budget + 1))),
    reached: all.filter(Number.isFinite).length / all.length,
    meanShare: mean(Float64Array.from(shares)),
    runs: all.length,
    distinct: asked.size,
    samples: byModel,
  };
}

/** Of figures among which some are infinite: one that was found, never one between. */
function quantileOf(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

function searchTable(on: Ground, model: number, name: string, seed: number, options: ClaimOptions) {
  const random = new FastRandom(BigInt(seed) * 1009n + BigInt(model));
  const search = createSearch(name, options.options ?? {}, {
    space: TABLE_SPACE,
    random,
    budget: options.budget,
    priors: priorsFor(on, model, options, random),
    estimate: options.withoutProfile ? undefined : (point) => profileEstimate(on.models[model]!, TABLE_SPACE, point),
  });
  return runSearch({
    space: TABLE_SPACE,
    search,
    budget: options.budget,
    evaluate: async (point) => on.tables[model]![numberOf(TABLE_SPACE, point)]!,
  });
}

/** Which models were served before is chance: two thirds of the known ones, drawn by the run's seed. */
function priorsFor(
  on: Ground,
  model: number,
  { known = on, shuffledPriors }: ClaimOptions,
  random: FastRandom,
): ResponseTable[] {
  const others = known.models.flatMap(({ name }, k) => (known === on && k === model ? [] : [{ name, k }]));
  const drawn = [...permutation(random, others.length)].slice(0, Math.ceil((2 / 3) * others.length));
  const priors = drawn.map((i) => priorOf(others[i]!.name, known.tables[others[i]!.k]!));
  return shuffledPriors ? priors.map((prior) => shuffled(prior, random)) : priors;
}

function shuffled({ name, values }: ResponseTable, random: FastRandom): ResponseTable {
  return { name, values: Float64Array.from(permutation(random, values.length), (number) => values[number]!) };
}

/** The first objective, 0 where a bound is broken. */
function worth(evaluation: Evaluation): number {
  return evaluation.state === 'measured' && violation(evaluation) === 0 ? evaluation.objectives[0]! : 0;
}
