import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../results/errors.js';
import { loadScenario } from '../../scenarios/load.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-fleet-'));

function scenario(systems: string): string {
  const file = join(folder, 's.yaml');
  writeFileSync(
    file,
    `schema: 1
question: What?
model: { runtime: synthetic, cost: [[1, 5ms]] }
systems:
${systems}
loads: { one: { type: single-stream } }
`,
  );
  return file;
}

function problems(systems: string): string[] {
  try {
    loadScenario(scenario(systems));
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ place, found }) => `${place.replace(/^.*?\d+:\d+ /, '')}: ${found}`);
  }
}

test('a number of replicas is so many of one kind, a list says what is different about each', () => {
  const [three, odd, plain] = loadScenario(
    scenario(`  three: { strategy: serial, replicas: 3 }
  odd: { strategy: serial, replicas: [{}, { weight: 2, model: { factor: 4 } }] }
  plain: { strategy: serial }`),
  ).systems;
  expect(three!.replicas).toHaveLength(3);
  expect(three!.summary).toBe('serial, 3 replicas, round-robin');
  expect(odd!.replicas).toEqual([
    { weight: 1, model: {} },
    { weight: 2, model: { factor: 4 } },
  ]);
  expect(plain!.gateway).toBeUndefined();
});

test('the other system of a route is one of the scenario or one of its own', () => {
  const systems = loadScenario(
    scenario(`  next: { strategy: serial, replicas: 2 }
  rollout: { strategy: serial, gateway: { route: { name: canary, to: next } } }
  mirrored: { strategy: serial, gateway: { route: { name: shadow, to: { strategy: instance-group, instances: 2 } } } }`),
  ).systems;
  expect(systems[1]!.gateway!.to).toMatchObject({ name: 'next', strategy: { name: 'serial' } });
  expect(systems[1]!.gateway!.to!.replicas).toHaveLength(2);
  expect(systems[2]!.gateway!.to).toMatchObject({ name: 'other', instances: 2 });
});

test.each([
  ['{ strategy: serial, gateway: { route: { name: canari, to: x } } }', 'there is no route "canari"'],
  ['{ strategy: serial, gateway: { route: canary } }', 'canary needs another system beside this one'],
  ['{ strategy: serial, gateway: { route: { name: canary, to: nobody } } }', 'there is no system "nobody"'],
  ['{ strategy: serial, replicas: [{ model: { factor: -1 } }] }', 'factor'],
  ['{ strategy: serial, autoscaler: { name: hpaa } }', 'there is no autoscaler "hpaa"'],
  ['{ strategy: serial, autoscaler: { name: hpa, minReplicas: 5, maxReplicas: 2 } }', 'maxReplicas'],
  ['{ strategy: serial, gateway: { program: nginx, level: connection } }', 'nginx stands in'],
])('%s is refused: %s', (system, expected) => {
  expect(problems(`  a: ${system}`).join('\n')).toContain(expected);
});
