import { expect, test } from 'vitest';
import { loadFacts, planFrom } from '../../scenarios/load-facts.js';

const SEEDS = { schedule: '1', samples: '2' };

function primaryOf(type: string, options: Record<string, unknown>, preset: 'quick' | 'mlperf' = 'quick') {
  const plan = planFrom({ type, options }, SEEDS, preset);
  return loadFacts(type, options, plan, preset, {}).primary;
}

test.each([
  ['open', { rate: '20/s', duration: '5s' }, { metric: 'p99Latency', percentile: 0.99 }],
  ['open', { rate: '20/s', duration: '5s', percentile: 'p90' }, { metric: 'p90Latency', percentile: 0.9 }],
  ['server', { rate: '20/s', duration: '5s', percentile: 'p90' }, { metric: 'targetRate', percentile: 0.9 }],
  ['closed', { concurrency: 2 }, { metric: 'throughput', percentile: null }],
])('a load of %s with %j is judged by %j', (type, options, primary) => {
  expect(primaryOf(type, options)).toEqual(primary);
});

test('MLPerf’s presets judge a server by p99 only', () => {
  expect(() => primaryOf('server', { rate: '20/s', percentile: 'p90' }, 'mlperf')).toThrow(
    'server.percentile: p90 under the preset mlperf. Allowed: p99, as in MLPerf.',
  );
});
