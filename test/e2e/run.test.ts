import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { finish, servemark, start } from './cli.js';
import { digests, onlyRun, readJson, scenarioFile, summarised, trialFiles, workFolder } from './folders.js';
import { descendants, gone, HAS_PROC, until } from './processes.js';

const folder = workFolder('run');

describe('servemark run', () => {
  test('measures every cell over every transport, records a system that dies as failed, and goes on', async () => {
    const file = scenarioFile(
      folder,
      'tiny',
      `schema: 1
question: Does the one that works beat the one that dies?
model: { runtime: synthetic, cost: [[1, 200us]] }
systems:
  works: { strategy: serial }
  dies: { strategy: serial, model: { runtime: synthetic, crashOn: 1 } }
loads:
  alone: { type: single-stream, duration: 300ms }
  steady: { type: open, rate: 100/s, duration: 300ms }
transports: [rest-binary, grpc, in-process]
warmUp: 50ms
`,
    );
    const { code, stdout, stderr } = await servemark(['run', file, '--out', join(folder, 'tiny')]);
    expect(code, stderr).toBe(0);
    const run = onlyRun(join(folder, 'tiny'))!;
    for (const name of ['plan.json', 'environment.json', 'scenario.yaml', 'report.md', 'report.html'])
      expect(existsSync(join(run, name)), name).toBe(true);
    expect(readJson(run, 'state.json')).toEqual({ state: 'completed' });
    expect(existsSync(join(run, 'lock'))).toBe(false);

    const trials = trialFiles(run);
    expect(Object.keys(trials)).toHaveLength(2 * 2 * 3);
    for (const [id, files] of Object.entries(trials)) {
      if (id.startsWith('works.')) expect(files, id).toEqual(['readings.arrow', 'records.arrow', 'summary.json']);
      else expect(files, id).toEqual(['failed.json']);
      if (id.startsWith('works.')) expect(readJson(run, 'trials', id, 'summary.json')).toMatchObject({ schema: 1 });
      else
        expect(JSON.stringify(readJson(run, 'trials', id, 'failed.json'))).toContain('dying in execution 1, as asked');
    }
    expect(stderr).toContain('failed dies.alone.grpc.r1');
    expect(stdout).toContain('Does the one that works beat the one that dies?');
    expect(readFileSync(join(run, 'report.md'), 'utf8')).toContain('dying in execution 1');
  }, 60_000);

  test('ends with 1 under --strict where a target is missed', async () => {
    const file = scenarioFile(
      folder,
      'strict',
      `schema: 1
question: Is it faster than light?
model: { runtime: "null" }
systems: { one: { strategy: serial } }
loads: { few: { type: closed, concurrency: 1, duration: 300ms } }
targets: { p99Latency: 1us }
warmUp: 50ms
`,
    );
    const { code, stdout } = await servemark(['run', file, '--strict', '--out', join(folder, 'strict')]);
    expect(stdout).toContain('1.00 µs');
    expect(code).toBe(1);
  });

  test('ends with 1 where nothing at all was measured', async () => {
    const file = scenarioFile(
      folder,
      'nothing',
      `schema: 1
question: Is there anything?
model: { runtime: synthetic, crashOn: 1 }
systems: { one: { strategy: serial } }
loads: { few: { type: closed, concurrency: 1, duration: 300ms } }
warmUp: 50ms
`,
    );
    const { code, stderr } = await servemark(['run', file, '--out', join(folder, 'nothing')]);
    expect(stderr).toContain('failed one.few.rest-binary.r1');
    expect(code).toBe(1);
  });

  test('names all mistakes of a scenario at once and ends with 2', async () => {
    const file = scenarioFile(
      folder,
      'mistakes',
      `schema: 1
question: What is wrong?
sytems: {}
model: fashion-mpl
systems:
  a: { strategy: seril }
  b: { strategy: triton-dynamic, maxBatchSize: many, maxQueueDelay: 5 parsecs }
loads:
  x: { type: opn }
  y: { type: open, rate: 50% of nobody }
transports: [grcp]
repeats: 0
`,
    );
    const { code, stdout, stderr } = await servemark(['run', file, '--out', join(folder, 'mistakes')]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    for (const expected of [
      ':3:1 sytems: unknown key "sytems"',
      ':4:8 model: there is no model "fashion-mpl"',
      ':6:18 systems.a.strategy: there is no strategy "seril"',
      ':7:48 systems.b.maxBatchSize',
      ':7:69 systems.b.maxQueueDelay',
      ':9:14 loads.x.type: there is no load type "opn"',
      ':10:26 loads.y.rate',
      ':11:14 transports.0',
      ':12:10 repeats',
    ])
      expect(stderr).toContain(`${file}${expected}`);
    expect(stderr).toContain('9 problems');
    expect(existsSync(join(folder, 'mistakes'))).toBe(false);
  });

  test.skipIf(!HAS_PROC)(
    'ends the trial under way at Ctrl-C, reports, leaves no process behind, and resumes',
    async () => {
      const file = scenarioFile(
        folder,
        'stopped',
        `schema: 1
question: What is left after Ctrl-C?
model: { runtime: synthetic, cost: [[1, 200us]] }
systems: { a: { strategy: serial, isolation: process } }
loads: { few: { type: closed, concurrency: 2, duration: 800ms } }
repeats: 3
warmUp: 50ms
`,
      );
      const root = join(folder, 'stopped');
      const cli = start(['run', file, '--out', root], { detached: true });
      const ended = finish(cli);
      const run = await until('the run folder', () => onlyRun(root));
      await until('the first trial', () => summarised(run).length === 1);
      const below = await until('the second trial', () => {
        const found = descendants(cli.pid!);
        // The load process starts beside the server: the worker is the last to come.
        return found.some(({ command }) => command.includes('instance-worker.js')) && found;
      });
      expect(below.map(({ command }) => command.split('/').at(-1)?.split(' ')[0]).sort()).toEqual([
        'instance-worker.js',
        'load-process.js',
        'server-process.js',
      ]);
      process.kill(-cli.pid!, 'SIGINT'); // The whole group, as a terminal does.
      const { code, stdout, stderr } = await ended;
      expect(code, stderr).toBe(130);
      await gone(below);
      expect(stderr).not.toContain('died');
      expect(stdout).toContain(`servemark run --resume ${run}`);
      expect(existsSync(join(run, 'report.html'))).toBe(true);
      expect(readJson(run, 'state.json')).toEqual({ state: 'interrupted' });
      const kept = summarised(run);
      expect(kept).toHaveLength(1);
      const before = digests(run, kept);

      const resumed = await servemark(['run', '--resume', file, '--out', root]);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(digests(run, kept)).toEqual(before);
      expect(summarised(run)).toHaveLength(3);
      expect(readJson(run, 'state.json')).toEqual({ state: 'completed' });
    },
    60_000,
  );
});
