import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { percentileFloor } from '../../results/stats/index.js';
import { loadScenario } from '../../scenarios/load.js';
import { loadFacts, planFrom } from '../../scenarios/load-facts.js';
import { checkBatching, estimateNs, planTrials } from '../../scenarios/plan.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

function scenarioOf(repeats: number, rate = '50% of a', more = ''): ReturnType<typeof loadScenario> {
  const path = join(folder, 'p.yaml');
  writeFileSync(
    path,
    `schema: 1
question: Which?
model: { runtime: synthetic }
systems: { a: { strategy: serial }, b: { strategy: triton-dynamic, maxBatchSize: 4 } }
loads: { x: { type: server, rate: ${rate}, duration: 1s }, y: { type: closed, concurrency: 2, duration: 1s } }
transports: [rest-binary, grpc]
repeats: ${repeats}
${more}`,
  );
  return loadScenario(path);
}

describe('a plan', () => {
  test('holds systems × loads × transports × repeats, the capacity probes first', () => {
    const trials = planTrials(scenarioOf(3));
    expect(trials.slice(0, 2).map((trial) => trial.identity.id)).toEqual([
      'a.capacity.rest-binary.r1',
      'a.capacity.grpc.r1',
    ]);
    expect(trials).toHaveLength(2 + 2 * 2 * 2 * 3);
    expect(new Set(trials.map((trial) => trial.identity.id)).size).toBe(trials.length);
    expect(trials.map((trial) => trial.identity.order)).toEqual(trials.map((_, index) => index));
  });

  test('runs the system of the noise floor under a second name too, beside the first, and says which two are one', () => {
    const scenario = scenarioOf(2, '50% of a', 'comparison: { noiseFloor: a }');
    const trials = planTrials(scenario).filter((trial) => trial.kind === 'measure');
    const systems = trials.map((trial) => trial.identity.system);
    expect(systems.filter((system) => system === 'a-again')).toHaveLength(2 * 2 * 2);
    const [first, again] = ['a', 'a-again'].map((name) => trials.find((trial) => trial.identity.system === name)!);
    expect(again!.system).toMatchObject({ strategy: first!.system.strategy, model: first!.system.model });
    expect(again!.seeds).toEqual(first!.seeds);
    expect(scenario.twins).toEqual(['a', 'a-again']);
    expect(() => scenarioOf(1, '50% of a', 'comparison: { noiseFloor: c }')).toThrow(/comparison\.noiseFloor: .*"c"/);
  });

  test('probes no transport that a rate does not ask for', () => {
    const probes = planTrials(scenarioOf(1, '50% of a on grpc')).filter((trial) => trial.kind === 'probe');
    expect(probes.map((trial) => trial.identity.id)).toEqual(['a.capacity.grpc.r1']);
  });

  test('takes the systems of a cell forward and backward in turn, each first in about half of the cells', () => {
    const trials = planTrials(scenarioOf(4)).filter((trial) => trial.kind === 'measure');
    const firsts = trials.filter((_, index) => index % 2 === 0).map((trial) => trial.system.name);
    expect(firsts.filter((name) => name === 'a')).toHaveLength(firsts.length / 2);
  });

  test('gives every system of a repeat the same seeds, the first repeat the scenario’s own', () => {
    const trials = planTrials(scenarioOf(2)).filter((trial) => trial.kind === 'measure');
    for (const trial of trials)
      expect(trial.seeds).toEqual(
        trial.identity.repeat === 1 ? { schedule: '1', samples: '2' } : { schedule: '2', samples: '3' },
      );
  });

  test('is the same for the same seed, another for another', () => {
    const scenario = scenarioOf(3);
    const ids = (order: string): string[] =>
      planTrials({ ...scenario, seeds: { ...scenario.seeds, order } }).map((trial) => trial.identity.id);
    expect(ids('3')).toEqual(ids('3'));
    expect(ids('3')).not.toEqual(ids('4'));
  });

  test('refuses a batching strategy on a model with a fixed batch, with the remedy', () => {
    const tensor = (first: number) => ({ name: 'data', datatype: 'FP32' as const, shape: [first, 3, 224, 224] });
    expect(() => checkBatching(scenarioOf(1), () => ({ inputs: [tensor(1)], outputs: [] }))).toThrow(
      /p\.yaml:4:\d+ systems\.b: batches of up to 4 rows do not fit input "data" .*Export the model with a dynamic batch axis/,
    );
    expect(() => checkBatching(scenarioOf(1), () => ({ inputs: [tensor(-1)], outputs: [] }))).not.toThrow();
  });
});

function atLeast(least: number) {
  return (found: number): boolean => found >= least;
}

describe('every scenario that ships', () => {
  const files = ['.', 'external'].flatMap((folder) =>
    readdirSync(join('scenarios', folder)).flatMap((name) => (name.endsWith('.yaml') ? join(folder, name) : [])),
  );

  test.each(files)('%s is read and planned', (file) => {
    const scenario = loadScenario(join('scenarios', file));
    expect(planTrials(scenario).length).toBeGreaterThan(0);
  });

  test.each(files)(
    '%s offers enough requests for the percentile that its loads are judged by, where its rates are fixed',
    (file) => {
      const scenario = loadScenario(join('scenarios', file));
      for (const { load, kind, seeds } of planTrials(scenario)) {
        if (kind !== 'measure' || load.relativeRate !== undefined) continue;
        const plan = planFrom(load, seeds, scenario.preset);
        const { primary, latenessExpected } = loadFacts(
          load.type,
          load.options,
          plan,
          scenario.preset,
          scenario.targets,
        );
        // Closed loops send as many as the system answers.
        if (plan.mode !== 'open' || plan.closed || latenessExpected || primary.percentile === null) continue;
        expect([load.name, plan.dueNs.length]).toEqual([
          load.name,
          expect.toSatisfy(atLeast(percentileFloor(primary.percentile))),
        ]);
      }
    },
  );

  test('is as long as its preset says, and until the last request of a slow load is due', () => {
    const trialNs = (text: string, preset: string) => {
      const scenario = scenarioOf(1, text, `preset: ${preset}`);
      const [first] = planTrials(scenario).filter((trial) => trial.identity.load === 'x');
      return estimateNs(scenario, [first!]);
    };
    expect(trialNs('1/s', 'quick')).toBe(1.5e9 + 1e9);
    expect(trialNs('0.01/s', 'quick')).toBe(1.5e9 + 100e9);
    expect(trialNs('0.01/s', 'mlperf')).toBe(1.5e9 + 10_000e9);
    const official = loadScenario(join('scenarios', 'mlperf-fashion.yaml'));
    expect(estimateNs(official, planTrials(official))).toBeGreaterThan(8 * 600e9);
  });

  test('quickstart stays below 90 seconds by its own estimate', () => {
    const scenario = loadScenario('scenarios/quickstart.yaml');
    expect(estimateNs(scenario, planTrials(scenario))).toBeLessThan(90e9);
  });
});
