import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addToCalibration, type CalibrationPoint, fingerprintOf } from '../../results/calibration.js';
import { captureEnvironment } from '../../results/capture.js';
import { type Served, serve, servemark } from './cli.js';
import { onlyRun, readJson, scenarioFile, workFolder } from './folders.js';

const folder = workFolder('calibrate');

interface Printed {
  readonly path: string;
  readonly points: readonly CalibrationPoint[];
}

test('calibrate finds a rate below the closed loop’s and stores it, or says that the machine is too busy', async () => {
  const options = ['--transport', 'rest-binary', '--bytes', '16', '--duration', '200ms'];
  const { code, stdout, stderr } = await servemark(['calibrate', ...options, '--json'], { cwd: folder });
  if (code !== 0) {
    console.log('skipped: what calibrate stores (this machine is too busy for any rate)');
    expect(code).toBe(2);
    expect(stderr).toMatch(/at no rate from .* on are requests sent in time\. Something else uses the processors/);
    return;
  }
  const { path, points } = JSON.parse(stdout) as Printed;
  const [point] = points as [CalibrationPoint];
  expect(point).toMatchObject({ transport: 'rest-binary', requestBytes: 16, processes: 1 });
  expect(point.openPerSecond).toBeGreaterThan(0);
  expect(point.openPerSecond).toBeLessThan(point.closedPerSecond);
  const stored = JSON.parse(readFileSync(join(folder, path), 'utf8')) as object;
  expect(stored).toEqual({ schema: 1, host: fingerprintOf(captureEnvironment()), points });
}, 90_000);

test.each<[string[], RegExp]>([
  [['--transport', 'soap'], /no transport "soap"/],
  [['--bytes', '17'], /--bytes: 17 is no multiple of 4/],
  [['--duration', '1'], /--duration: "1" is no duration\. Allowed: a number with its unit/],
])('calibrate %j is refused with 2', async (options, message) => {
  const { code, stderr } = await servemark(['calibrate', ...options], { cwd: folder });
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

describe('on a host whose load process can do 200/s', () => {
  const cwd = join(folder, 'slow');
  const point: CalibrationPoint = {
    ...{ transport: 'rest-binary', requestBytes: 16, processes: 1, openPerSecond: 200, latenessP99Ns: 1e5, cores: 1 },
    ...{ closedPerSecond: 300, capturedAt: '2026-01-01T00:00:00.000Z' },
  };
  const text = `schema: 1
question: Is it refused?
model: { runtime: "null" }
systems: { only: { strategy: serial } }
loads: { fast: { type: open, rate: 150/s, duration: 300ms } }
warmUp: 20ms
`;
  let file: string;
  let server: Served;
  beforeAll(async () => {
    addToCalibration(join(cwd, 'results/calibration'), fingerprintOf(captureEnvironment()), [point]);
    file = scenarioFile(folder, 'fast', text);
    server = await serve(['null']);
  });
  afterAll(() => server.stop());

  test.each(['plan', 'run'])('%s refuses 150/s: 140/s are allowed, with place and remedy', async (command) => {
    const { code, stdout, stderr } = await servemark([command, file], { cwd });
    expect(stderr).toContain(
      'fast.yaml:5:36 loads.fast.rate: 150/s over rest-binary is 75 % of the 200/s that one load process can do on this host. Allowed: at most 140/s (70 %). Use more load processes',
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('run --force runs it and calls it INVALID, with the same figures', async () => {
    const { code, stderr } = await servemark(['run', file, '--force', '--out', 'forced', '--quiet'], { cwd });
    expect(code, stderr).toBe(0);
    const run = onlyRun(join(cwd, 'forced'))!;
    const summary = readJson(run, 'trials', 'only.fast.rest-binary.r1', 'summary.json') as unknown as {
      verdict: { state: string; findings: { rule: string; severity: string; message: string }[] };
    };
    expect(summary.verdict.state).toBe('INVALID');
    const found = summary.verdict.findings.find(({ rule }) => rule === 'roofline')!;
    expect(found.severity).toBe('invalid');
    expect(found.message).toMatch(/^The load offers 1\d\d\/s, 7\d\.\d % of the 200\/s that one load process can do/);
  });

  test('a rate that is known only after the probe: the trial is skipped, the run goes on', async () => {
    const relative = scenarioFile(folder, 'relative', text.replace('150/s', '90% of only'));
    const { code, stderr } = await servemark(['run', relative, '--out', 'relative', '--quiet'], { cwd });
    expect(code, stderr).toBe(0);
    const run = onlyRun(join(cwd, 'relative'))!;
    expect(readJson(run, 'trials', 'only.fast.rest-binary.r1', 'skipped.json').reason).toMatch(
      /^rate: .* can do on this host\. Allowed: at most 140\/s/,
    );
  });

  test('drive refuses it too, and its report says what a lower rate uses', async () => {
    const args = ['drive', server.restUrl, '--model', 'null', '--duration', '300ms', '--warm-up', '20ms'];
    const refused = await servemark([...args, '--rate', '150/s'], { cwd });
    expect(refused.stderr).toMatch(/--rate: 150\/s over rest-binary is 75 %/);
    expect(refused.code).toBe(2);
    const { code, stderr } = await servemark([...args, '--rate', '100/s', '--out', 'driven'], { cwd });
    expect(code, stderr).toBe(0);
    expect(readFileSync(join(onlyRun(join(cwd, 'driven'))!, 'report.md'), 'utf8')).toMatch(
      /load generator.*loads up to [45]\d % of its calibrated limit/,
    );
  });
});
