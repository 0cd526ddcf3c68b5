import { Matrix, solve } from 'ml-matrix';
import { z } from 'zod';
import { defineSearch, type ResponseTable, type Search } from './contract.js';
import { slopedMerit } from './merit.js';
import { pointAt } from './space.js';
import { allFeatures } from './support/features.js';
import { growingProcess, momentsOf } from './support/gaussian-process.js';
import { argmax, logOf, mostPromising, posteriorOver } from './support/surrogate.js';

/**
 * What other models did at every point is the belief; the new model's few points say which of them it resembles (ridge
 * regression), and a Gaussian process learns the rest. First tried: the points at which one of the others was best, and those
 * on which the others disagree most.
 */
export const morphling = defineSearch({
  name: 'morphling',
  summary: "Starts from other models' response tables, and adapts them to this one with a few points",
  source:
    'Wang et al., Morphling (SoCC 2021): a meta-model trained on other services, few-shot adaptation, 30 of 720 points. Ours adapts by regression on the tables and a Gaussian process; the paper by meta-learned neural networks',
  needsPriors: true,
  options: z.strictObject({
    ridge: z.number().positive().default(2).describe('how strongly the belief holds to the plain mean of the others'),
    disagreement: z.number().int().min(0).default(0).describe('first points that tell the others apart'),
  }),
  *create({ ridge, disagreement }, { space, priors }) {
    const features = allFeatures(space);
    const process = growingProcess(features);
    const others = priors.map(standardised);
    const seen: { number: number; value: number }[] = [];
    const left = new Set(features.keys());
    for (const number of firstPoints(others, features.length, disagreement)) yield* look(number);
    while (left.size > 0) {
      const candidates = [...left];
      yield* look(mostPromising(candidates, posteriorOver(process, seen, candidates, adapt(others, seen, ridge))));
    }

    function* look(number: number): Search {
      seen.push({ number, value: logOf(slopedMerit(yield pointAt(space, number))) });
      process.measure(number);
      left.delete(number);
    }
  },
});

/** Logarithms, mean 0 and standard deviation 1: the trend of a table without its level. */
function standardised({ values }: ResponseTable): Float64Array {
  const logs = Array.from(values, logOf);
  const { mean, sd } = momentsOf(logs);
  return Float64Array.from(logs, (value) => (value - mean) / sd);
}

function firstPoints(others: readonly Float64Array[], size: number, disagreement: number): number[] {
  const numbers = Array.from({ length: size }, (_, number) => number);
  const mean = (number: number) => others.reduce((sum, table) => sum + table[number]!, 0) / others.length;
  const chosen = [argmax(numbers, mean)];
  for (const table of others) {
    const best = argmax(numbers, (number) => table[number]!);
    if (!chosen.includes(best)) chosen.push(best);
  }
  const spread = (number: number) => others.reduce((sum, table) => sum + (table[number]! - mean(number)) ** 2, 0);
  for (let k = 0; k < disagreement && chosen.length < size; k++)
    chosen.push(
      argmax(
        numbers.filter((number) => !chosen.includes(number)),
        spread,
      ),
    );
  return chosen;
}

/** value ≈ level + scale · mean of the others + Σ wₖ · (other k − mean), w shrunk towards 0. */
function adapt(
  others: readonly Float64Array[],
  seen: readonly { readonly number: number; readonly value: number }[],
  ridge: number,
): (number: number) => number {
  const row = (number: number): number[] => {
    const mean = others.reduce((sum, table) => sum + table[number]!, 0) / others.length;
    return [1, mean, ...others.map((table) => table[number]! - mean)];
  };
  const design = new Matrix(seen.map(({ number }) => row(number)));
  const gram = design.transpose().mmul(design);
  for (let k = 0; k < gram.rows; k++) gram.set(k, k, gram.get(k, k) + (k < 2 ? 1e-6 : ridge * seen.length));
  const weights = solve(gram, design.transpose().mmul(Matrix.columnVector(seen.map(({ value }) => value)))).to1DArray();
  return (number) => row(number).reduce((sum, value, k) => sum + value * weights[k]!, 0);
}
