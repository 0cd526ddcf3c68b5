import { Mt19937, permutation, shuffle, uniformInt } from '../../results/stats/index.js';
import { contiguousIndices, type SampleOrder, sampleIndices } from '../schedule.js';
import type { LoadContext } from './contract.js';
import { population } from './presets.js';

export interface Draw {
  readonly order: SampleOrder;
  /** Queries, each of `perQuery` contiguous samples of the set. */
  readonly queries: number;
  readonly perQuery: number;
  /** LoadGen's `min_query_count`: it decides how many numbers are drawn for nothing before the first sample. */
  readonly minQueries: number;
}

/** The samples of MLPerf's load types; with the library's seed exactly those that LoadGen 6.0 issues. */
export function drawSamples(context: LoadContext, { order, queries, perQuery, minQueries }: Draw): Uint32Array {
  const size = population(context);
  // The samples kept in memory are shuffled first. Source: LoadGen `loadgen.cc` GenerateLoadableSets, GenerateQueries.
  const set = context.librarySeed === undefined ? undefined : permutation(new Mt19937(context.librarySeed), size);
  if (set && order === 'random') {
    const indices = new Uint32Array(queries * perQuery);
    const random = afterSetUp(context.sampleSeed, size, perQuery, minQueries);
    for (let q = 0; q < queries; q++) {
      const start = uniformInt(random, size);
      for (let k = 0; k < perQuery; k++) indices[q * perQuery + k] = set[(start + k) % size]!;
    }
    return indices;
  }
  const plain =
    order === 'random' && perQuery > 1
      ? contiguousIndices(context.sampleSeed, queries, perQuery, size)
      : sampleIndices(order, context.sampleSeed, queries * perQuery, size);
  return set ? plain.map((position) => set[position]!) : plain;
}

/**
 * LoadGen makes the orders `unique` and `equal-issue` too, used or not, from the generator that then draws the samples: one
 * shuffle of the starts, and one of the set for every set's worth of the minimum of queries.
 */
function afterSetUp(seed: bigint, size: number, stride: number, minQueries: number): Mt19937 {
  const random = new Mt19937(seed);
  shuffle(random, new Uint32Array(Math.ceil(size / stride)));
  // The set is padded, so that a query of contiguous samples may begin at any of them.
  const set = new Uint32Array(size + stride - 1);
  for (let done = 0; done < minQueries; done += set.length) shuffle(random, set);
  return random;
}
