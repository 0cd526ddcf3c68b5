import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadScenario } from '../../scenarios/load.js';
import { strategies } from '../../servers/strategies/index.js';
import { servemark } from './cli.js';
import { scenarioFile, workFolder } from './folders.js';

const folder = workFolder('bench');
const SMALL = scenarioFile(
  folder,
  'league',
  `schema: 1
question: Who?
model: { runtime: synthetic, cost: [[1, 1ms], [8, 2ms]] }
systems:
  serial: { strategy: serial }
  batching: { strategy: triton-dynamic, maxBatchSize: 8 }
  edf: { strategy: edf, slo: 10ms, maxBatchSize: 8, drop: infeasible }
loads: { over: { type: open, rate: 200% of serial, duration: 2s } }
targets: { p99Latency: 10ms }
repeats: 5
`,
);
const bench = (...args: string[]) => servemark(['bench', 'strategies', '--scenario', SMALL, '--out', folder, ...args]);
const newest = () => {
  const name = readdirSync(folder)
    .filter((each) => each.endsWith('-league'))
    .sort()
    .at(-1)!;
  return join(folder, name);
};

describe('servemark bench strategies', () => {
  test('overloaded twice, batching answers all in time and serial hardly any: ranked, and the decision says so', async () => {
    const { code, stdout, stderr } = await bench();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('League table (simulated, 1 load)');
    expect(stdout).toMatch(/Not in this league, and why:[\s\S]*triton-sequence: it serves sequences/);
    const decision = readFileSync(join(newest(), 'decision.md'), 'utf8');
    expect(decision).toMatch(/- over: \*\*(batching|edf)\*\*/);
    expect(decision).toMatch(/\| serial \| \d\d\.\d % \(over\)/);
    expect(existsSync(join(newest(), 'decision.html'))).toBe(true);
    expect(existsSync(join(newest(), 'report.html'))).toBe(true);
  });

  test('--real serves and simulates the same trials', async () => {
    const { code, stdout, stderr } = await bench(
      '--real',
      '--only',
      'batching',
      '--repeats',
      '1',
      '--duration',
      '300ms',
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('League table (measured, 1 load)');
    expect(stdout).toContain('League table (simulated, 1 load)');
    const { trials } = JSON.parse(readFileSync(join(newest(), 'plan.json'), 'utf8')) as { trials: unknown[] };
    expect(trials).toHaveLength(1 + 2 * 2); // a probe; serial, which rates are relative to, and batching, each twice
  }, 120_000);

  test.each([
    [['models'], /there is no bench "models"\. Allowed: strategies/],
    [['strategies', '--only', 'bacthing'], /--only: there is no system "bacthing".*Did you mean "batching"\?/],
    [['strategies', '--real', '--budget', '10s'], /--budget: 10\.0 s for 3 trials .*Allowed: at least 11\.4 s/],
    [['strategies', '--real', '--simulated'], /both --real and --simulated/],
    [['strategies', '--repeats', '0'], /--repeats: "0" does not do\. Allowed: a whole number/],
    [['strategies', '--duration', 'long'], /--duration: "long" is no duration/],
    [['strategies', '--profile', 'nowhere.json'], /nowhere\.json: can't be read/],
  ])('%j is refused with the remedy', async (args, message) => {
    const { code, stderr } = await servemark([
      'bench',
      ...args,
      ...(args[0] === 'strategies' ? ['--scenario', SMALL] : []),
    ]);
    expect(code).toBe(2);
    expect(stderr.replaceAll('\n', ' ')).toMatch(message);
  });
});

test('every strategy is in the league that ships, or says why it can’t be', () => {
  const { systems } = loadScenario(fileURLToPath(new URL('../../scenarios/strategies.yaml', import.meta.url)));
  const used = new Set(systems.map(({ strategy }) => strategy.name));
  const silent = strategies.filter(
    (each: { readonly name: string; readonly unranked?: string }) => !used.has(each.name) && !each.unranked,
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
});
