import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { servemark } from './cli.js';
import { scenarioFile, workFolder } from './folders.js';
import { within } from './within.js';

const folder = workFolder('commands');
const scenario = scenarioFile(
  folder,
  'small',
  `schema: 1
question: Which?
model: { runtime: synthetic }
systems: { a: { strategy: serial }, b: { strategy: triton-dynamic, maxBatchSize: 4 } }
loads: { steady: { type: open, rate: 50% of a, duration: 100ms } }
transports: [rest-binary, grpc]
`,
);
const VECTORS = fileURLToPath(new URL('../vectors/serial.json', import.meta.url));

describe('servemark schedule', () => {
  test('--duration draws as many of any process: 100/s for 10 s are 1,000 of a gamma with CV 4, as of Poisson', async () => {
    for (const process of [['poisson'], ['gamma', '--set', 'cv=4']]) {
      const args = [
        'schedule',
        '--arrivals',
        ...process,
        '--rate',
        '100/s',
        '--seed',
        '1',
        '--duration',
        '10s',
        '--json',
      ];
      const { stdout, stderr } = await servemark(args);
      const { dueNs } = JSON.parse(stdout || '{}') as { dueNs?: number[] };
      expect(dueNs, stderr).toHaveLength(1000);
      expect(dueNs!.at(-1)!).toBeLessThanOrEqual(10e9);
    }
  });

  test('with LoadGen’s seeds prints LoadGen’s schedule and samples', async () => {
    const loadgen = ['--seed', '16159082839903944936', '--samples', '1024', '--sample-seed', '2747215439041700203'];
    const args = ['schedule', '--arrivals', 'poisson', '--rate', '100/s', '--count', '5', ...loadgen, '--json'];
    const { code, stdout } = await servemark(args);
    expect(JSON.parse(stdout)).toEqual({
      dueNs: [0, 18_436_540, 23_015_776, 35_874_399, 43_004_346],
      samples: [818, 976, 516, 292, 672],
    });
    expect(code).toBe(0);
  });
});

describe('servemark plan', () => {
  test('prints every trial in order, the capacity probes first, and starts nothing', async () => {
    const { code, stdout } = await servemark(['plan', scenario]);
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => /^\d+ {2,}/.test(line))).toHaveLength(2 + 2 * 2);
    expect(stdout).toMatch(/^1 +a +capacity .*\n2 +a +capacity /m);
    expect(stdout).toContain(`servemark run ${scenario}`);
  });

  test('refuses, before anything starts, to batch what has a fixed batch', async () => {
    const file = scenarioFile(
      folder,
      'fixed',
      `schema: 1
question: Which?
model: { runtime: synthetic, inputs: [{ name: x, datatype: FP32, shape: [8, 4] }] }
systems: { batching: { strategy: triton-dynamic, maxBatchSize: 64 } }
loads: { alone: { type: single-stream } }
`,
    );
    const { code, stderr } = await servemark(['plan', file]);
    expect(stderr).toMatch(/fixed\.yaml:4:22 systems\.batching: .*64.*\[8,4\]/);
    expect(code).toBe(2);
  });
});

describe('servemark simulate', () => {
  test('gives virtual results the same folder and report, marked as simulated', async () => {
    const out = join(folder, 'simulated');
    const profile = join(folder, 'cost.json');
    writeFileSync(
      profile,
      JSON.stringify({
        cost: [
          [1, 1_000_000],
          [4, 2_000_000],
        ],
      }),
    );
    const { code, stdout, stderr } = await servemark(['simulate', scenario, '--profile', profile, '--out', out]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('simulated');
    const missing = await within(['simulate', scenario, '--profile', join(folder, 'none.json')]);
    expect(missing.stderr).toMatch(/^error .*none\.json: can't be read.*\n$/);
    expect(missing.code).toBe(2);
  });
});

describe('servemark compare', () => {
  const run = 'results/reference/quickstart';

  test('sets two systems of a run against each other, by load, transport and figure, in the order of the plan', async () => {
    const { code, stdout, stderr } = await within(['compare', 'batching', 'serial', '--run', run, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = JSON.parse(stdout) as { comparisons: Record<string, unknown>[] };
    expect(found).toMatchObject({ schema: 1, run, interleaved: true });
    expect(found.comparisons).toHaveLength(4 * 2 * 4);
    expect(found.comparisons[0]).toMatchObject({ load: 'alone', transport: 'rest-binary', a: 'batching', b: 'serial' });
    // One repeat: the interval of a latency is that of its blocks, and nothing is a claim.
    const tail = found.comparisons.find((each) => each.load === 'over' && each.figure === 'p99Latency')!;
    expect(tail).toMatchObject({ claim: { state: 'indication' }, within: { level: 0.95 } });
  });

  test('finds a run equal to itself, claims nothing between two runs, and says why', async () => {
    const { code, stdout } = await within(['compare', run, run, '--strict']);
    expect(stdout).toMatch(/not interleaved/);
    expect(stdout).toMatch(/serial +half +grpc +p50 +1\.00 /);
    expect(stdout).not.toMatch(/What else differs/);
    expect(code).toBe(0);
  });

  test.each<[what: string, args: string[], message: RegExp]>([
    ['an unknown system', ['batchin', 'serial', '--run', run], /no system or run folder "batchin".*"batching"/],
    ['half a pair', ['two', 'serial', '--run', run, '--noise-floor', 'two'], /"two" is no pair/],
    ['a system and itself', ['two', 'two', '--run', run], /"two" with itself\. Allowed: two systems/],
    ['systems and run folders', [run, run, '--run', run], /--run: belongs to two systems/],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stderr } = await within(['compare', ...args]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('servemark conform', () => {
  test('counts what passes and ends with 0', async () => {
    const { code, stdout } = await servemark(['conform', VECTORS]);
    expect(stdout).toMatch(/^\d+ passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  test('prints one line a failing case, with its first difference, and ends with 1', async () => {
    const { schema, cases } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
      schema: number;
      cases: Record<string, unknown>[];
    };
    const file = join(folder, 'broken.json');
    const slower = { ...cases[0], name: 'slower', cost: [[1, 4_000_000]] };
    const strange = { ...cases[0], name: 'strange', strategy: { name: 'telepathy' } };
    writeFileSync(file, JSON.stringify({ schema, cases: [cases[0], slower, strange] }));
    const { code, stdout } = await within(['conform', file]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/broken\.json · serial · slower: .*3000000/);
    expect(lines[1]).toMatch(/broken\.json · telepathy · strange: not implemented/);
    expect(lines[2]).toBe('1 passed, 2 failed');
    expect(code).toBe(1);
  });
});

describe('servemark list', () => {
  test('shows what is registered with its options, as text and as JSON', async () => {
    const text = await within(['list', 'strategies', 'triton-dynamic']);
    expect(text.stdout).toMatch(/triton-dynamic .*\n.*maxBatchSize: /);
    const json = JSON.parse((await within(['list', '--json'])).stdout) as Record<string, { name: string }[]>;
    expect(json.transports!.map(({ name }) => name)).toEqual([
      ...['rest', 'rest-binary', 'rest-undici', 'grpc', 'grpc-js', 'in-process'],
    ]);
  });

  test('prints a JSON Schema that knows every strategy and load type', async () => {
    const { stdout } = await within(['list', '--json-schema']);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object' });
    for (const name of ['triton-dynamic', 'single-stream', 'poisson']) expect(stdout).toContain(`"${name}"`);
  });
});

describe('servemark doctor', () => {
  test('says for everything it looks at whether it is there', async () => {
    const { code, stdout } = await within(['doctor', '--json']);
    const checks = JSON.parse(stdout) as { name: string; state: string; found: string }[];
    expect(checks.find(({ name }) => name === 'ONNX Runtime')).toMatchObject({ state: 'ok' });
    expect(checks.every(({ state, found }) => ['ok', 'warning', 'missing'].includes(state) && found !== '')).toBe(true);
    expect(code).toBe(0);
  });
});

describe('servemark init', () => {
  test('writes a scenario and a strategy, and nothing where one of them can’t be', async () => {
    const fresh = join(folder, 'fresh');
    const bad = await within(['init', fresh, '--strategy', 'Bad Name']);
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('"Bad Name" can\'t name a strategy') });
    expect(existsSync(fresh)).toBe(false);
    const taken = await within(['init', fresh, '--strategy', 'serial']);
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('there is a strategy "serial" already') });
    const gone = await within(['init', fresh, '--model', join(folder, 'gone.onnx')]);
    expect(gone).toMatchObject({ code: 2, stderr: expect.stringMatching(/--model: there is no file .*gone\.onnx/) });
    const good = await within(['init', fresh, '--strategy', 'my-batcher']);
    expect(good.code, good.stderr).toBe(0);
    expect(existsSync(join(fresh, 'my-scenario.yaml')) && existsSync(join(fresh, 'my-batcher.ts'))).toBe(true);
    const again = await within(['init', fresh]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
  });
});

describe('mistakes end with 2 and a sentence, never with a stack', () => {
  const directory = join(folder, 'a folder');
  mkdirSync(directory);
  writeFileSync(join(folder, 'garbage.onnx'), 'no model');

  test.each<[what: string, args: string[], message: RegExp]>([
    ['an unknown command', ['fly'], /unknown command 'fly'/],
    ['an unknown option', ['plan', scenario, '--fast'], /unknown option '--fast'/],
    ['a missing file', ['run', join(folder, 'none.yaml')], /none\.yaml: there is no such file/],
    ['a folder for a file', ['run', directory], /a folder: is a folder/],
    ['a folder that is no run', ['report', directory], /plan\.json is missing or broken/],
    [
      'a file in the place of a folder',
      ['init', scenario],
      /small\.yaml: a file is in the way of a folder|small\.yaml/,
    ],
    ['a resume without a run', ['run', '--resume', '--out', directory], /no run with anything left to do/],
    [
      'a resume of a scenario without a run',
      ['run', '--resume', scenario, '--out', directory],
      /no run of .*small.* with anything left/,
    ],
    ['a missing model file', ['serve', join(folder, 'none.onnx')], /none\.onnx: there is no such file/],
    ['a broken model file', ['serve', join(folder, 'garbage.onnx')], /garbage\.onnx: ONNX Runtime cannot load it/],
    [
      'an unknown strategy',
      ['serve', 'fashion-mlp', '--strategy', 'seril'],
      /no strategy "seril".*Did you mean "serial"/,
    ],
    [
      'a wrong option of an arrival process',
      ['schedule', '--rate', '5/s', '--seed', '1', '--count', '1', '--set', 'x=1'],
      /unknown key "x"/,
    ],
    ['a seed beyond 64 bits', ['schedule', '--rate', '5/s', '--seed', String(2n ** 64n), '--count', '1'], /is no seed/],
    ['no vectors', ['conform', directory], /can't be read/],
    ['a kind that is not listed', ['list', 'wishes'], /no kind "wishes"/],
  ])('%s', async (_what, args, message) => {
    const { code, stdout, stderr } = await within(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
