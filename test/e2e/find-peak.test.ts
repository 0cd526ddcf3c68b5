import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { servemark } from './cli.js';
import { onlyRun, readJson, scenarioFile, summarised, workFolder } from './folders.js';

const folder = workFolder('find peak');
const scenario = scenarioFile(
  folder,
  'one',
  `schema: 1
question: How much can it take?
model: { runtime: synthetic, cost: [[1, 10ms]] }
systems: { one: { strategy: serial }, two: { strategy: instance-group, instances: 2 } }
loads: { any: { type: closed, concurrency: 1 } }
warmUp: 50ms
`,
);

test('find-peak of a system of 10 ms tells an interval below its 100/s, keeps its evidence, and tries the lower end in full', async () => {
  const out = join(folder, 'out');
  const sizes = ['--duration', '2s', '--max-probes', '8', '--precision', '50%'];
  const { code, stdout, stderr } = await servemark([
    ...['find-peak', scenario, '--system', 'one', '--p99', '200ms', '--out', out, '--json', ...sizes],
  ]);
  // Whether the machine is calm enough for a VALID trial is not this test's business.
  expect([0, 1], stderr).toContain(code);
  const { cells } = JSON.parse(stdout) as {
    cells: {
      system: string;
      lowPerSecond: number;
      highPerSecond: number;
      level: number;
      probes: { outcome: string }[];
    }[];
  };
  expect(cells).toHaveLength(1);
  const { system, lowPerSecond, highPerSecond, level, probes } = cells[0]!;
  expect(system).toBe('one');
  expect(lowPerSecond).toBeLessThan(highPerSecond);
  expect(lowPerSecond).toBeLessThan(105);
  expect(level).toBe(0.9);
  expect(probes.some(({ outcome }) => outcome === 'fail')).toBe(true);
  const run = onlyRun(out)!;
  expect((readJson(run, 'peak.json') as { schema: number }).schema).toBe(1);
  expect(summarised(run)).toEqual(['one.peak.rest-binary.r1']);
  expect(existsSync(join(run, 'report.html'))).toBe(true);
}, 120_000);

test.each([
  ['no bound', [], /targets\.p99Latency: there is no bound.*--p99 20ms/],
  ['a bound that is no time', ['--p99', 'fast'], /--p99: "fast" is no duration/],
  ['a system that is not there', ['--p99', '5ms', '--system', 'three'], /"three" is not in the scenario.*one, two/],
  ['a precision of nothing', ['--p99', '5ms', '--precision', '0'], /--precision/],
])('find-peak refuses %s before it starts anything', async (_, args, message) => {
  const { code, stderr } = await servemark(['find-peak', scenario, ...args, '--out', join(folder, 'none')]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(existsSync(join(folder, 'none'))).toBe(false);
});
