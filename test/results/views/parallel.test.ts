import { expect, test } from 'vitest';
import type { PartSummary, TrialSummary } from '../../../results/summary.js';
import type { Block } from '../../../results/views/contract.js';
import { parallel } from '../../../results/views/parallel.js';
import { fakeRun } from '../../fakes/runs.js';

test('says how fast a split model is beside the whole and what it loses most to', () => {
  // Two workers, 10 ms: 5 ms of compute each, 4 ms of hand-over, 1 ms of reduction, nobody waits. The whole takes 8 ms.
  const parts = { workers: 2, makespan: 10e6, compute: 10e6, 'hand-over': 4e6, reduction: 1e6, 'bytes gathered': 2048 };
  const [heading, table, list] = render(parts);
  expect(heading).toEqual({ kind: 'heading', text: 'Split models' });
  expect(JSON.stringify(table)).toContain('"10.0 ms"');
  const [item] = (list as Extract<Block, { kind: 'list' }>).items;
  expect(item).toContain('slower than (0.80×) serial, of 2× at best; most is lost to hand-over between threads.');
  expect(item).toMatch(/Compute 50\.0.%/);
  expect(item).toMatch(/hand-over 40\.0.%/);
  expect(item).toMatch(/reduction or joining 10\.0.%/);
  expect(item).toMatch(/waiting for one another 0\.0.%/);
});

test('names the compute itself where the parts together take longer than the whole', () => {
  const [, , list] = render({ workers: 2, makespan: 10e6, compute: 19e6, 'hand-over': 0.3e6, reduction: 0.2e6 });
  expect((list as Extract<Block, { kind: 'list' }>).items[0]).toContain(
    'most is lost to the same work takes 2.38× the compute time of serial',
  );
});

test('is absent where no model is split', () => {
  const { run, records } = fakeRun({ loads: ['alone'], transports: ['grpc'], repeats: 1, requests: 700 });
  expect(parallel.render({ run, records, seed: 1n })).toBeUndefined();
});

/** The fake run with `two` as a split model and `serial` as the whole that takes 8 ms. */
function render(values: Readonly<Record<string, number>>): readonly Block[] {
  const { run, records } = fakeRun({ loads: ['alone'], transports: ['grpc'], repeats: 1, requests: 700 });
  const parts = Object.entries(values).map(
    ([name, mean]): PartSummary => ({ name, unit: unitOf(name), executions: 700, mean }),
  );
  const outcomes = run.outcomes.map((outcome) => {
    if (outcome.state !== 'completed') return outcome;
    const { summary } = outcome;
    if (summary.trial.system === 'two') return { ...outcome, summary: { ...summary, parts } };
    return { ...outcome, summary: { ...summary, components: summary.components.map(eightMilliseconds) } };
  });
  return parallel.render({ run: { ...run, outcomes }, records, seed: 1n })!;
}

function eightMilliseconds(component: TrialSummary['components'][number]): TrialSummary['components'][number] {
  if (component.name !== 'computeInfer') return component;
  return { ...component, latencyNs: { ...component.latencyNs, mean: 8e6 } };
}

function unitOf(name: string): PartSummary['unit'] {
  if (name === 'workers') return 'count';
  return name.startsWith('bytes') ? 'bytes' : 'ns';
}
