import { z } from 'zod';
import { permutation } from '../../results/stats/index.js';
import { defineSearch } from './contract.js';
import { pointAt, sizeOf } from './space.js';

export const random = defineSearch({
  name: 'random',
  summary: 'Points in shuffled order, none twice: what every cleverer search has to beat',
  source: 'Bergstra and Bengio, Random search for hyper-parameter optimization (JMLR 2012); here without replacement',
  options: z.strictObject({}),
  *create(_, { space, random: source }) {
    for (const number of permutation(source, sizeOf(space))) yield pointAt(space, number);
  },
});
