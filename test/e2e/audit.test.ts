import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { servemark } from './cli.js';
import { onlyRun, readJson, scenarioFile, summarised, workFolder } from './folders.js';

const folder = workFolder('audit');
const out = join(folder, 'out');

test('audit runs a stored trial again, judged, with one sample, and with other seeds, and leaves its findings in the run', async () => {
  const file = scenarioFile(
    folder,
    'mlperf',
    `schema: 1
question: Does it stand an audit?
preset: mlperf-short
systems: { one: { strategy: serial } }
loads: { alone: { type: single-stream, duration: 300ms }, bulk: { type: offline, minSamples: 512, duration: 1ms } }
accuracy: true
warmUp: 50ms
`,
  );
  expect((await servemark(['run', file, '--out', out, '--quiet'])).code).toBe(0);
  const run = onlyRun(out)!;
  const trial = 'one.alone.rest-binary.r1';
  const { code, stdout, stderr } = await servemark(['audit', run, '--trial', trial]);
  const lines = stdout.trim().split('\n');
  const audit = readJson(run, 'audit.json') as unknown as {
    findings: { state: string; test: string; trial: string; message: string }[];
    shortened: boolean;
  };
  expect(audit.findings.map((finding) => [finding.test, finding.trial])).toEqual([
    ['TEST01', trial],
    ['TEST04', trial],
    ['TEST05', trial],
  ]);
  // Answers are exact whatever the machine does; the speeds of 300 ms on a busy one are not.
  expect(audit.findings[0]!.message).toMatch(/^0 of [\d,]+ answers under load are judged otherwise/);
  expect(audit.shortened).toBe(false);
  expect(code, stderr).toBe(audit.findings.some(({ state }) => state === 'FAIL') ? 1 : 0);
  expect(lines.slice(0, 3).every((line) => /^(PASS|FAIL) {4}TEST0\d one\.alone/.test(line))).toBe(true);
  expect(lines[3]).toContain('audit.json');
  const again = onlyRun(join(run, 'audit'))!;
  expect(summarised(again).sort()).toEqual(
    ['TEST01', 'TEST04', 'TEST05', 'reference'].map((variant) => `${trial}.${variant}`),
  );
  const same = readJson(again, 'trials', `${trial}.TEST04`, 'summary.json') as unknown as {
    inputs: { distinct: number };
  };
  expect(same.inputs.distinct).toBe(1);
}, 120_000);

test.each([
  ['a run that is not one', ['nowhere'], /no such folder/],
  [
    'a trial that is not there',
    ['--trial', 'two.alone.grpc.r1'],
    /no such completed trial.*one\.alone\.rest-binary\.r1/,
  ],
  ['a duration that is none', ['--duration', 'short'], /--duration: "short" is no duration/],
])('audit refuses %s', async (_, args, message) => {
  const run = onlyRun(out)!;
  const { code, stderr } = await servemark(['audit', ...(args[0]!.startsWith('--') ? [run, ...args] : args)]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test('audit refuses a run of another preset', async () => {
  const quick = scenarioFile(
    folder,
    'quick',
    'schema: 1\nquestion: Quick?\nmodel: { runtime: synthetic }\nsystems: { a: { strategy: serial } }\nloads: { l: { type: closed, concurrency: 1, duration: 50ms } }\nwarmUp: 0ms\n',
  );
  const other = join(folder, 'quick');
  await servemark(['run', quick, '--out', other, '--quiet']);
  const { code, stderr } = await servemark(['audit', onlyRun(other)!]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/preset "quick".*mlperf or mlperf-short/s);
  expect(existsSync(join(onlyRun(other)!, 'audit.json'))).toBe(false);
}, 60_000);
