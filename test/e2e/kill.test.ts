import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { finish, servemark, start } from './cli.js';
import { digests, onlyRun, readJson, scenarioFile, summarised, trialFiles, workFolder } from './folders.js';
import { child, cpuTicks, descendants, gone, HAS_PROC, type ProcessEntry, until } from './processes.js';

if (!HAS_PROC) console.log('skipped: processes killed in mid-trial (there is no /proc to find them by)');

const folder = workFolder('kill');
const SCENARIO = `schema: 1
question: What survives SIGKILL?
model: { runtime: synthetic, cost: [[1, 5ms]], mode: spin }
systems: { a: { strategy: serial, isolation: process } }
loads: { busy: { type: closed, concurrency: 4, duration: 3s } }
repeats: 4
warmUp: 50ms
`;

/** CPU time of the worker from which on the load is surely under way: its start takes about 35, warm-up 5, the load 300 on an idle machine. */
const INTO_THE_LOAD_TICKS = 90;

test.skipIf(!HAS_PROC)(
  'SIGKILL of the load, of the server, of a worker and of the command itself costs one trial each, and --resume finishes',
  async () => {
    const file = scenarioFile(folder, 'killed', SCENARIO);
    const root = join(folder, 'runs');
    const cli = start(['run', file, '--out', root]);
    const ended = finish(cli);
    const killed = await killInTurn(cli.pid!, ['load-process.js', 'server-process.js', 'instance-worker.js']);
    const run = onlyRun(root)!;
    const trial = (repeat: number) => `a.busy.rest-binary.r${repeat}`;

    await nextLoad(cli.pid!, killed.loads);
    const below = descendants(cli.pid!);
    cli.kill('SIGKILL');
    const { stderr } = await ended;
    await gone(below, 8000);

    const failed = (repeat: number) => readJson(run, 'trials', trial(repeat), 'failed.json').error;
    expect(failed(1)).toBe('the load process was killed by SIGKILL before it told its result');
    expect(failed(2)).toContain('the server process ended in mid-trial (killed by SIGKILL)');
    const third = readJson(run, 'trials', trial(3), 'summary.json') as unknown as {
      counts: { ok: number };
      errors: Record<string, number>;
    };
    // The worker had one request in hand and was back after 100 ms: that request failed, the others waited.
    expect(third.errors).toEqual({ 'worker-died': 1 });
    expect(third.counts.ok).toBeGreaterThan(50);
    expect(stderr).toContain('instance 0 died (killed by SIGKILL); starting it again in 100 ms');
    expect(stderr).toContain('instance 0 is back');
    expect(
      Object.values(trialFiles(run))
        .flat()
        .filter((name) => name.endsWith('.tmp')),
    ).toEqual([]);

    const reported = await servemark(['report', run]);
    expect(reported.code, reported.stderr).toBe(0);
    expect(existsSync(join(run, 'report.html'))).toBe(true);
    expect(summarised(run)).toEqual([trial(3)]);
    const before = digests(run, [trial(3)]);

    const resumed = await servemark(['run', '--resume', run]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(summarised(run).sort()).toEqual([1, 2, 3, 4].map(trial));
    expect(digests(run, [trial(3)])).toEqual(before);
    expect(readJson(run, 'state.json')).toEqual({ state: 'completed' });
  },
  60_000,
);

/** In each trial in turn kills the process of that program; answers the load processes it met. */
async function killInTurn(cli: number, programs: readonly string[]): Promise<{ loads: ProcessEntry[] }> {
  const loads: ProcessEntry[] = [];
  for (const program of programs) {
    loads.push(await nextLoad(cli, loads));
    process.kill((await child(cli, program)).pid, 'SIGKILL');
  }
  return { loads };
}

async function nextLoad(cli: number, seen: readonly ProcessEntry[]): Promise<ProcessEntry> {
  const load = await until('the next load process', () =>
    descendants(cli).find(
      ({ pid, command }) => command.includes('load-process.js') && !seen.some((s) => s.pid === pid),
    ),
  );
  const used = new Map<number, number>();
  await until('requests', () => {
    // The worker of an earlier trial may just be going.
    const workers = descendants(cli).filter(({ command }) => command.includes('instance-worker.js'));
    return workers.some(({ pid }) => {
      const ticks = cpuTicks(pid);
      if (ticks === undefined) return false;
      if (!used.has(pid)) used.set(pid, ticks);
      return ticks >= used.get(pid)! + INTO_THE_LOAD_TICKS;
    });
  });
  return load;
}
