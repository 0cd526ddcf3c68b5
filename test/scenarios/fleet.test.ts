import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readFleet, runFleet } from '../../scenarios/fleet/fleet.js';
import { errorOfSimulator } from '../../scenarios/simulator-error.js';
import { within } from '../e2e/within.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-fleet-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FLEET = `schema: 1
question: Does it scale?
cost: [[1, 10ms]]
strategy: serial
replicas: { initial: 2, max: 20, startUp: 5s }
autoscalers: { fixed: null, kpa: { name: kpa-concurrency, target: 1, initialReplicas: 2 } }
interval: 5s
arrivals: { process: poisson, rate: 400/s }
duration: 60s
objective: 50ms
`;

describe('a fleet file', () => {
  test.each(readdirSync('scenarios/fleets').map((name) => join('scenarios/fleets', name)))('%s is sound', (file) => {
    expect(readFleet(file).question).not.toBe('');
  });

  test('gives one fleet an autoscaler under the same arrivals, a page and a JSON record', async () => {
    const record = await runFleet(write('x.yaml', FLEET), join(folder, 'runs'));
    const [fixed, kpa] = record.runs;
    expect(fixed!.offered).toBe(kpa!.offered);
    // Two replicas answer 200 of 400 a second: most wait. The autoscaler orders what is needed.
    expect(fixed!.good / fixed!.offered).toBeLessThan(0.1);
    expect(kpa!.good / kpa!.offered).toBeGreaterThan(0.7);
    expect(readFileSync(join(record.folder, 'report.html'), 'utf8')).toContain('Simulated: virtual time');
    expect(JSON.parse(readFileSync(join(record.folder, 'fleet.json'), 'utf8'))).toMatchObject({
      schema: 1,
      file: 'x.yaml',
    });
  });

  test.each([
    ['strategy: serial', 'strategy: seriel', /there is no strategy "seriel".*serial/],
    ['cost: [[1, 10ms]]', '', /no costs.*cost:/],
    ['max: 20', 'max: 20000', /replicas\.max.*at most 10000/],
    ['kpa-concurrency', 'vpa', /bad\.yaml:6:34 autoscalers\.kpa: .*no autoscaler "vpa"/],
    ['target: 1', 'targt: 1', /bad\.yaml:6:34 autoscalers\.kpa: .*unknown key "targt"/],
    ['interval: 5s', 'interval: 0s', /interval: "0s" must be above 0s/],
    ['rate: 400/s', 'rate: 0/s', /arrivals\.rate: "0\/s" must be above 0\/s/],
    ['duration: 60s', 'duration: 1000000h', /duration: "1000000h" must be at most 8784h/],
    ['initial: 2', 'initial: 30', /replicas: initial must not exceed max/],
    ['process: poisson', 'process: poison', /no arrival process "poison"/],
  ])('with %s instead of %s is refused', async (from, to, message) => {
    const file = write('bad.yaml', FLEET.replace(from, to));
    await expect(runFleet(file, folder)).rejects.toThrow(message);
  });
});

describe('servemark plan-capacity', () => {
  const profile = write('profile.json', JSON.stringify([[1, 10_000_000]]));

  test('names replicas, what one fewer would do, and what a wrong cost table would mean', async () => {
    const args = ['--profile', profile, '--slo', 'p99=15ms', '--rate', '900/s', '--arrivals', 'constant'];
    const { code, stdout } = await within([
      'plan-capacity',
      ...args,
      '--balancer',
      'round-robin',
      '--strategy',
      'serial',
      '--requests',
      '5000',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/serial\s+9\s/);
    expect(stdout).toMatch(/costs × 1\.25: 12 replicas needed/);
    expect(stdout).toMatch(/[Ss]imulator/);
  });

  test.each([
    [['--slo', 'p42=1ms', '--rate', '1/s'], /--slo.*p42/],
    [['--slo', 'p99=1ms', '--rate', 'fast'], /--rate.*fast/],
    [['--slo', 'p99=1ms', '--rate', '1/s', '--balancer', 'best'], /--balancer.*round-robin/],
    [['--slo', 'p99=1ms', '--rate', '1/s', '--strategy', 'serial:maxBatchSize=4'], /unknown key "maxBatchSize"/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await within(['plan-capacity', '--profile', profile, ...args]);
    expect(code).toBe(2);
    expect(stderr.replaceAll('\n', ' ')).toMatch(message);
  });

  test('an objective that nothing keeps ends with 1', async () => {
    const { code, stdout } = await within([
      'plan-capacity',
      '--profile',
      profile,
      '--slo',
      'p99=9ms',
      '--rate',
      '10/s',
      '--requests',
      '1000',
      '--strategy',
      'serial',
      '--max-replicas',
      '8',
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain('not kept');
  });
});

test('without any run that holds the simulator against real trials its error is unknown, and said so', () => {
  expect(errorOfSimulator('serial', [join(folder, 'nothing')])).toMatchObject({
    run: null,
    text: expect.stringMatching(/nothing is known/),
  });
});

test('where this machine has no such run the one that came along tells, and says whose machine it was', () => {
  const told = errorOfSimulator('triton-dynamic', [join(folder, 'nothing'), resolve('results/reference')]);
  expect(told).toMatchObject({
    strategy: 'triton-dynamic',
    trials: 4,
    p50: expect.any(Number),
    p99: expect.any(Number),
  });
  expect(told.text).toContain('the run that came with servemark, not on this machine but on');
  expect(told.text).toContain(told.host!);
  const other = errorOfSimulator('djl-wlm', [join(folder, 'nothing'), resolve('results/reference')]);
  expect(other.strategy).toBe('djl-wlm');
  expect(errorOfSimulator('load-balancer', [resolve('results/reference')]).text).toContain(
    'never served beside its simulation',
  );
});
