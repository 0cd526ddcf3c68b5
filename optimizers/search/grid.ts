import { z } from 'zod';
import { defineSearch } from './contract.js';
import { pointAt, sizeOf } from './space.js';

export const grid = defineSearch({
  name: 'grid',
  summary: 'Every point, the last dimension fastest: sure, and as dear as the space is large',
  source: 'exhaustive search; Triton Model Analyzer calls it brute',
  options: z.strictObject({}),
  *create(_, { space }) {
    const size = sizeOf(space);
    for (let number = 0; number < size; number++) yield pointAt(space, number);
  },
});
