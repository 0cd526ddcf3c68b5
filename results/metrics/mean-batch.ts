import { absent, type MetricDefinition } from './contract.js';
import { executionsBySize } from './executions.js';

export const meanBatch: MetricDefinition = {
  name: 'meanBatch',
  summary: 'rows an execution, each execution counted once',
  compute: (window) => {
    const batches = executionsBySize(window);
    if (batches.length === 0) return absent('rows', 'the server does not tell executions');
    const executions = batches.reduce((sum, { count }) => sum + count, 0);
    return { value: batches.reduce((sum, { size, count }) => sum + size * count, 0) / executions, unit: 'rows' };
  },
};
