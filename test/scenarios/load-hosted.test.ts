import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../../results/errors.js';
import { loadScenario } from '../../scenarios/load.js';
import { planWithModels } from '../../scenarios/prepare.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-hosted-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a system’s models stand beside its own, each with its strategy; copies are numbered, generated ones differ', () => {
  const [system] = load(`
      other: { strategy: triton-dynamic, maxBatchSize: 4 }
      net: { strategy: serial, model: { dense: { layers: 1, width: 4 } }, copies: 2 }`).systems;
  expect(system!.others).toMatchObject([
    { modelName: 'other', strategy: { name: 'triton-dynamic', options: { maxBatchSize: 4 } } },
    { modelName: 'net-1', strategy: { name: 'serial' } },
    { modelName: 'net-2', strategy: { name: 'serial' } },
  ]);
  const paths = system!.others!.slice(1).map(({ model }) => ('path' in model ? model.path : ''));
  expect(new Set(paths).size).toBe(2);
  expect(system!.summary).toBe('serial, beside 3 other models');
});

test.each([
  ['other: { strategy: serial, replicas: 2 }', 'replicas belongs to the server, not to one of its models'],
  ['other: { strategy: triton-dinamic }', 'there is no strategy "triton-dinamic"'],
  ['other: { strategy: serial, batch: 2 }', 'unknown key "batch"'],
  ['other: { strategy: serial, copies: 0 }', 'copies'],
])('a wrong model is refused with its place: %s', (entry, message) => {
  expect(problems(`\n      ${entry}`)).toContain(message);
});

test('a load that asks for a model that the system has not is refused with those that it has', () => {
  const asking = (model: string) =>
    problems('\n      other: { strategy: serial }', `{ type: open, rate: 1/s, mix: [{ tenant: a, model: ${model} }] }`);
  expect(asking('other')).toBe('');
  expect(asking('synthetic')).toBe('');
  expect(asking('othr')).toMatch(/loads\.one\.mix\.0\.model system "many" has no model "othr"/);
});

test('virtual time has one model a server, and says so', async () => {
  const scenario = load('\n      other: { strategy: serial }');
  await expect(planWithModels(scenario, 'test', 'simulated')).rejects.toThrow('virtual time has one a server');
});

function load(models: string, one = '{ type: single-stream }') {
  const file = join(folder, 's.yaml');
  writeFileSync(
    file,
    `schema: 1
question: What?
model: { runtime: synthetic, cost: [[1, 5ms]] }
systems:
  many:
    strategy: serial
    models:${models}
loads: { one: ${one} }
`,
  );
  return loadScenario(file);
}

function problems(models: string, one?: string): string {
  try {
    load(models, one);
    return '';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ place, found }) => `${place} ${found}`).join('\n');
  }
}
