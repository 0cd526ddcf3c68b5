import { FastRandom, permutation } from '../../results/stats/index.js';
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
  /** Share of the optimum that counts as near; default 0.95. */
  readonly near?: number | undefined;
  /** Negative control: the other models' tables with their points shuffled. */
  readonly shuffledPriors?: boolean | undefined;
  /** Negative control: without the operator profile. */
  readonly withoutProfile?: boolean | undefined;
}

export interface Claim {
  /** Points until the first one near the optimum, over models × seeds; Infinity where the budget did not do. */
  readonly median: number;
  readonly q25: number;
  readonly q75: number;
  /** Share of runs that got near. */
  readonly reached: number;
  /** Best found ÷ optimum at the end, mean. */
  readonly meanShare: number;
  readonly runs: number;
}

/** How many points a search needs to come near the true optimum: every model in turn is the new one, the others are known. */
export async function samplesToNear(on: Ground, name: string, options: ClaimOptions): Promise<Claim> {
  const samples: number[] = [];
  const shares: number[] = [];
  for (let m = 0; m < on.models.length; m++)
    for (const seed of options.seeds) {
      const { steps } = await searchTable(on, m, name, seed, options);
      const found = steps.map(({ evaluation }) => worth(evaluation) / on.optima[m]!);
      const first = found.findIndex((share) => share >= (options.near ?? 0.95));
      samples.push(first < 0 ? Number.POSITIVE_INFINITY : first + 1);
      shares.push(Math.max(...found));
    }
  samples.sort((a, b) => a - b);
  const at = (share: number) => samples[Math.min(samples.length - 1, Math.floor(share * samples.length))]!;
  return {
    median: at(0.5),
    q25: at(0.25),
    q75: at(0.75),
    reached: samples.filter(Number.isFinite).length / samples.length,
    meanShare: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    runs: samples.length,
  };
}

function searchTable(on: Ground, model: number, name: string, seed: number, options: ClaimOptions) {
  const random = new FastRandom(BigInt(seed) * 1009n + BigInt(model));
  const others = on.tables.flatMap((table, k) => (k === model ? [] : [priorOf(on.models[k]!.name, table)]));
  const search = createSearch(
    name,
    {},
    {
      space: TABLE_SPACE,
      random,
      budget: options.budget,
      priors: options.shuffledPriors ? others.map((prior) => shuffled(prior, random)) : others,
      estimate: options.withoutProfile ? undefined : (point) => profileEstimate(on.models[model]!, TABLE_SPACE, point),
    },
  );
  return runSearch({
    space: TABLE_SPACE,
    search,
    budget: options.budget,
    evaluate: async (point) => on.tables[model]![numberOf(TABLE_SPACE, point)]!,
  });
}

function shuffled({ name, values }: ResponseTable, random: FastRandom): ResponseTable {
  return { name, values: Float64Array.from(permutation(random, values.length), (number) => values[number]!) };
}

/** The first objective, 0 where a bound is broken. */
function worth(evaluation: Evaluation): number {
  return evaluation.state === 'measured' && violation(evaluation) === 0 ? evaluation.objectives[0]! : 0;
}
