import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { numberOf } from '../../optimizers/search/index.js';
import { UserError } from '../../results/errors.js';
import { readTuning, type TuningFigures, writeTuning } from '../../results/tuning.js';
import { loadScenario } from '../../scenarios/load.js';
import { planFrom } from '../../scenarios/load-facts.js';
import { evaluate } from '../../scenarios/tune/objectives.js';
import { type Compared, verdictOf } from '../../scenarios/tune/sentences.js';
import { simulatedFigures } from '../../scenarios/tune/simulated-point.js';
import { runTuning } from '../../scenarios/tune/tune.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-tune-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SCENARIO = (tune: string) => `schema: 1
question: Which configuration is best?
model: { runtime: synthetic, cost: [[1, 1ms], [8, 1.5ms], [32, 3ms]] }
systems:
  guess: { strategy: triton-dynamic, maxBatchSize: 2 }
  alone: { strategy: serial }
loads:
  busy: { type: closed, concurrency: 16, duration: 300ms }
tune: ${tune}
`;
const SPACE = '{ maxBatchSize: [1, 2, 4, 8, 16], maxQueueDelay: [0ms, 1ms] }';

function scenario(tune: string) {
  const path = join(folder, 'x.yaml');
  writeFileSync(path, SCENARIO(tune));
  return loadScenario(path);
}

function problems(tune: string): string {
  try {
    scenario(tune);
  } catch (error) {
    if (error instanceof UserError) return error.message.replaceAll(`${folder}/`, '');
    throw error;
  }
  return '';
}

describe('the tune: section', () => {
  test('spreads its space into systems, the last dimension fastest', () => {
    const { tune } = scenario(`{ system: guess, load: busy, space: ${SPACE} }`);
    expect(tune!.space.dimensions.map(({ name, ordered }) => [name, ordered])).toEqual([
      ['maxBatchSize', true],
      ['maxQueueDelay', true],
    ]);
    expect(tune!.systems[numberOf(tune!.space, [2, 1])]!.strategy.options).toMatchObject({
      maxBatchSize: 4,
      maxQueueDelay: '1ms',
    });
  });

  test('an option that a strategy does not have is left out where another strategy of the space has it', () => {
    const { tune } = scenario(
      '{ system: guess, load: busy, space: { strategy: [serial, triton-dynamic], maxBatchSize: [1, 8] } }',
    );
    expect(tune!.systems.map((system) => system!.strategy)).toEqual([
      { name: 'serial', options: {} },
      { name: 'serial', options: {} },
      { name: 'triton-dynamic', options: { maxBatchSize: 1 } },
      { name: 'triton-dynamic', options: { maxBatchSize: 8 } },
    ]);
  });

  test.each([
    [
      '{ system: gues, load: busy, space: { maxBatchSize: [1, 2] } }',
      /tune\.system: there is no system "gues".*Did you mean "guess"/,
    ],
    ['{ system: guess, load: idle, space: { maxBatchSize: [1, 2] } }', /there is no load "idle".*busy/],
    ['{ system: guess, load: busy, space: { maxBatch: [1, 2] } }', /unknown key "maxBatch"/],
    ['{ system: guess, load: busy, space: { maxBatchSize: [1, -2] } }', /maxBatchSize.*-2/],
    ['{ system: guess, load: busy, space: { maxBatchSize: [4] } }', /1 configurations.*2 to 20,000/],
    [
      '{ system: guess, load: busy, space: { maxBatchSize: [1, 2] }, search: baysian }',
      /there is no search "baysian".*bayesian/,
    ],
    ['{ system: guess, load: busy, space: { maxBatchSize: [1, 2] }, objective: max speed }', /max throughput/],
    [
      '{ system: guess, load: busy, space: { maxBatchSize: [1, 2] }, objective: min cpuPerRequest }',
      /can't be simulated.*evaluate: real/,
    ],
    ['{ system: guess, load: busy, space: { maxBatchSize: [1, 2] }, budget: 1 }', /budget.*at least 2/],
  ])('%s is refused', (tune, message) => {
    expect(problems(tune).replaceAll('\n', ' ')).toMatch(message);
  });
});

describe('evaluation', () => {
  const figures: TuningFigures = {
    throughputPerSecond: 100,
    p50LatencyNs: 4e6,
    p99LatencyNs: 10e6,
    errorRate: 0,
    meanBatch: 2,
    cpuSecondsPerRequest: null,
    cores: 2,
    accuracy: 0.88,
  };

  test('a p99 of 10 ms under a bound of 20 ms is kept with half to spare; under 5 ms it is broken by 1', () => {
    expect(evaluate(figures, [{ name: 'throughput', direction: 'max' }], { p99LatencyNs: 20e6 }, null)).toEqual({
      state: 'measured',
      objectives: [100],
      excess: [-0.5],
    });
    expect(evaluate(figures, [{ name: 'p99Latency', direction: 'min' }], { p99LatencyNs: 5e6 }, null)).toEqual({
      state: 'measured',
      objectives: [1e-7],
      excess: [1],
    });
  });

  test('99 % of an author with 90 % accuracy is more than 88 %: broken by 1.25 %', () => {
    const found = evaluate(figures, [{ name: 'throughput', direction: 'max' }], { relativeAccuracy: 0.99 }, 0.9);
    expect(found).toMatchObject({ state: 'measured' });
    expect(found.state === 'measured' && found.excess[0]).toBeCloseTo(0.0125, 9);
  });

  test('what is not known is no objective, and keeps no bound', () => {
    expect(evaluate(figures, [{ name: 'cpuPerRequest', direction: 'min' }], {}, null)).toMatchObject({
      state: 'failed',
    });
    const unknown = { ...figures, p99LatencyNs: null };
    expect(evaluate(unknown, [{ name: 'throughput', direction: 'max' }], { p99LatencyNs: 1e9 }, null)).toMatchObject({
      excess: [1],
    });
  });
});

test('a request that costs processors 1 ms besides executions bounds the rate, and latencies grow as much', () => {
  const { tune } = scenario('{ system: guess, load: busy, space: { maxBatchSize: [1, 16] } }');
  const system = tune!.systems[1]!;
  const plan = planFrom(tune!.load, { schedule: '1', samples: '1' }, 'quick', 100);
  const free = simulatedFigures(
    system,
    plan,
    [
      [1, 1e6],
      [16, 2e6],
    ],
    null,
  );
  // Batches of 16 in 2 ms: 8,000/s, 0.125 ms of an execution a request.
  expect(free.throughputPerSecond).toBeCloseTo(8000, -2);
  const besideNs = 1e6 * availableParallelism();
  const bound = simulatedFigures(
    system,
    plan,
    [
      [1, 1e6],
      [16, 2e6],
    ],
    null,
    besideNs,
  );
  const perRequest = (besideNs + 0.125e6) / availableParallelism();
  expect(bound.throughputPerSecond! / (1e9 / perRequest)).toBeCloseTo(1, 2);
  expect(bound.p99LatencyNs! / free.p99LatencyNs!).toBeCloseTo(
    free.throughputPerSecond! / bound.throughputPerSecond!,
    6,
  );
});

describe('the verdict', () => {
  const throughput: Compared = {
    figure: 'throughput',
    ratio: { ratio: 1.25, interval: { low: 1.2, high: 1.3, level: 0.95 }, pValue: 0.001, pairs: 5 },
    claim: { state: 'better', text: 'a is better' },
  };

  test('is confirmed where the pairs allow the claim and every trial of the tuned one keeps the bounds', () => {
    expect(verdictOf([throughput], 'throughput', 'maxBatchSize=16', { kept: 5, trials: 5 })).toEqual({
      state: 'confirmed',
      text: 'Confirmed: maxBatchSize=16 is better than the author’s in throughput, 1.25 × (95 % 1.20–1.30) in paired, interleaved trials; its bounds held in 5 of 5.',
    });
  });

  test('is not where a bound was broken, or the pairs allow no claim, or nothing compares by the objective', () => {
    expect(verdictOf([throughput], 'throughput', 'x', { kept: 4, trials: 5 }).state).toBe('unconfirmed');
    const equal: Compared = { ...throughput, claim: { state: 'equal', text: 'not distinguishable' } };
    expect(verdictOf([equal], 'throughput', 'x', { kept: 5, trials: 5 }).text).toMatch(
      /^Not confirmed: not distinguishable \(throughput 1\.25 ×/,
    );
    expect(verdictOf([throughput], 'cost', 'x', { kept: 5, trials: 5 }).text).toContain('pairs do not compare cost');
  });
});

describe('a search in virtual time', () => {
  const options = {
    resultsRoot: join(folder, 'runs'),
    signal: new AbortController().signal,
    onEvent: () => {},
    command: 'x',
  };
  const TUNE = `{ system: guess, load: busy, space: ${SPACE}, evaluate: simulated, search: grid, budget: 10, constraints: { p99Latency: 10ms } }`;

  test('finds that the largest useful batch is best, keeps every step, and reports it', async () => {
    const loaded = scenario(TUNE);
    const { record, folder: run, reports } = await runTuning(loaded, loaded.tune!, options);
    expect(record.steps).toHaveLength(10);
    // 16 in flight in batches of 16 take 2 ms: 8,000/s; of 8 they take 1.5 ms: 5,333/s.
    const best = record.steps[record.front[0]!]!;
    expect(loaded.tune!.space.dimensions[0]!.values[best.point[0]!]).toBe(16);
    expect(best.figures.throughputPerSecond).toBeGreaterThan(record.author!.figures.throughputPerSecond! * 2);
    expect(readTuning(run)).toEqual(record);
    expect(readFileSync(reports.find((path) => path.endsWith('.md'))!, 'utf8')).toMatch(
      /grid.* looked at 10 of 10 configurations/,
    );
  }, 60_000);

  test('goes on where it was interrupted, and refuses to go on with another question', async () => {
    const loaded = scenario(TUNE);
    const whole = await runTuning(loaded, loaded.tune!, options);
    writeTuning(whole.folder, { ...whole.record, steps: whole.record.steps.slice(0, 4), front: [] });
    let evaluated = 0;
    const resumed = await runTuning(loaded, loaded.tune!, {
      ...options,
      resume: whole.folder,
      onStep: () => evaluated++,
    });
    expect(evaluated).toBe(6);
    expect(resumed.record.steps.map(({ evaluation }) => evaluation)).toEqual(
      whole.record.steps.map(({ evaluation }) => evaluation),
    );
    const other = scenario(TUNE.replace('10ms', '11ms'));
    await expect(runTuning(other, other.tune!, { ...options, resume: whole.folder })).rejects.toThrow(
      /the scenario has changed/,
    );
  }, 60_000);
});
