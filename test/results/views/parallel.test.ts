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

test('an execution of the whole counts once, however many requests it answered', () => {
  // Ten executions of 1 row in 2 ms, ten of 31 in 14 ms: 8 ms in the mean; over requests it would be 13.6 ms.
  const batches = [
    { size: 1, count: 10 },
    { size: 31, count: 10 },
  ];
  const [, , list] = render({ workers: 2, makespan: 10e6, compute: 16e6 }, { batches, busyNs: 160e6, meanBatch: 16 });
  expect(textOf(list)).toContain('slower than (0.80×) serial');
});

test('a pipeline is held to its formula, bytes to theirs, and weights to the speed of memory', () => {
  // Four micro-batches in stages of 4 and 8 ms: (12 + 3 · 8) / 4 = 9 ms; 1.25× a share were they even.
  const parts = {
    workers: 2,
    'micro-batches': 4,
    makespan: 10e6,
    compute: 12e6,
    'stage 0 on CPU 0': 4e6,
    'stage 1': 8e6,
  };
  const bytes = { 'bytes handed over': 4096, 'bytes by formula': 4096, 'weights read': 256e6 };
  const [, , list] = render({ ...parts, ...bytes });
  expect(textOf(list)).toContain('4 micro-batches in 2 even stages take (m + p − 1) / m = 1.25× a stage');
  expect(textOf(list)).toContain('with nothing lost between, 9.00 ms of the 10.0 ms');
  expect(textOf(list)).toContain('Communicated: 4.00 KiB, as many as the formula tells.');
  // 64 MB in 8 ms; 256 MB in 12 ms of two workers.
  expect(textOf(list)).toMatch(
    /serial reads .* at 8\.0 GB\/s, the 2 workers .* \(anew for each of 4 micro-batches\) at 42\.7 GB\/s/,
  );
  const other = render({ ...parts, ...bytes, 'bytes by formula': 2048 })[2];
  expect(textOf(other)).toContain('Communicated: 4.00 KiB, the formula tells 2.00 KiB.');
});

test('is absent where no model is split', () => {
  const { run, records } = fakeRun({ loads: ['alone'], transports: ['grpc'], repeats: 1, requests: 700 });
  expect(parallel.render({ run, records, seed: 1n })).toBeUndefined();
});

function textOf(list: Block | undefined): string {
  return JSON.stringify((list as Extract<Block, { kind: 'list' }>).items[0]);
}

type Executions = Pick<TrialSummary, 'batches' | 'busyNs' | 'meanBatch'>;

const EIGHT_MILLISECONDS: Executions = { batches: [{ size: 1, count: 700 }], busyNs: 700 * 8e6, meanBatch: 1 };

/** The fake run with `two` as a split model and `serial` as the whole. */
function render(values: Readonly<Record<string, number>>, executions = EIGHT_MILLISECONDS): readonly Block[] {
  const { run, records } = fakeRun({ loads: ['alone'], transports: ['grpc'], repeats: 1, requests: 700 });
  const parts = Object.entries(values).map(
    ([name, mean]): PartSummary => ({ name, unit: unitOf(name), executions: 700, mean }),
  );
  const outcomes = run.outcomes.map((outcome) => {
    if (outcome.state !== 'completed') return outcome;
    const { summary } = outcome;
    return { ...outcome, summary: { ...summary, ...executions, ...(summary.trial.system === 'two' && { parts }) } };
  });
  return parallel.render({ run: { ...run, outcomes }, records, seed: 1n })!;
}

function unitOf(name: string): PartSummary['unit'] {
  if (name === 'workers' || name === 'micro-batches') return 'count';
  return /^(bytes|weights)/.test(name) ? 'bytes' : 'ns';
}
