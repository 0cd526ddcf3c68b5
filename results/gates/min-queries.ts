import type { GateDefinition } from './contract.js';
import { count } from './text.js';

export const minQueries: GateDefinition = {
  name: 'min-queries',
  summary: 'the load issues at least as many queries as its type or preset demands',
  check({ load, queries }) {
    if (queries >= load.minQueries) return undefined;
    return {
      severity: 'invalid',
      message: `${count(queries)} queries were issued; at least ${count(load.minQueries)} are needed (${count(load.minQueries - queries)} more).`,
      advice: load.scheduled ? 'Raise the duration or the rate of the load.' : 'Raise the duration of the load.',
    };
  },
};
