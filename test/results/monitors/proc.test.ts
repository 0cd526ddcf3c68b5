import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { proc } from '../../../results/monitors/proc.js';
import { descendants, parseStat } from '../../../results/monitors/proc-reader.js';
import type { ProcessUsage } from '../../../results/summary.js';
import { watched } from './harness.js';

const here = proc.unavailable() === undefined;

/** Works until this process has used so many ms of processor time. */
function burn(ms: number): void {
  const start = process.cpuUsage();
  let used = 0;
  while (used < ms * 1000) {
    for (let i = 0; i < 1e5; i++) Math.sqrt(i);
    const { user, system } = process.cpuUsage(start);
    used = user + system;
  }
}

describe('a line of /proc/pid/stat', () => {
  it('is counted from the last bracket: the name may hold blanks and brackets', () => {
    const fields = Array.from({ length: 49 }, (_, i) => String(i + 4));
    expect(parseStat(`42 (a ) (b c) S ${fields.join(' ')}`)).toEqual({
      ...{ user: 14, system: 15, childUser: 16, childSystem: 17, threads: 20 },
    });
  });
});

async function watch(target: { readonly role: string; readonly pid: number }) {
  const { monitor, readings, values } = await watched(proc);
  monitor.watch!(target);
  return {
    readings,
    values,
    sample: () => monitor.sample!(),
    mark: () => monitor.mark!(),
    stop: () => (monitor.stop() as { processes: ProcessUsage[] }).processes,
  };
}

describe.runIf(here)('the proc monitor', () => {
  it('tells the main thread as server and the rest as workers; what was burnt on the main thread is the server’s', async () => {
    const watching = await watch({ role: 'server', pid: process.pid });
    burn(50);
    watching.mark();
    burn(200);
    const usage = watching.stop();
    expect(usage.map(({ role }) => role)).toEqual(['server', 'workers']);
    const server = usage[0]!;
    // Ticks of 10 ms at both edges; the main thread did nearly all of the work.
    expect(server.userSeconds + server.systemSeconds).toBeGreaterThan(0.1);
    expect(server.rssPeakBytes).toBeGreaterThan(20e6);
    expect(server.rssPeakBytes).toBeLessThan(4e9);
    expect(server.contextSwitches).not.toBeNull();
    expect(usage[1]!.rssPeakBytes).toBeNull();
  });

  it('counts a child process with the workers, and one that ended before the end too', async () => {
    const busy = 'const t = process.cpuUsage().user; while (process.cpuUsage().user < t + 120000); console.log(1)';
    const watching = await watch({ role: 'server', pid: process.pid });
    watching.mark();
    const child = spawn(process.execPath, ['-e', `${busy}; setInterval(() => {}, 1000)`], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    const ended = spawn(process.execPath, ['-e', busy], { stdio: 'pipe' });
    await once(ended, 'exit');
    const workers = watching.stop().find(({ role }) => role === 'workers')!;
    child.kill();
    expect(workers.userSeconds + workers.systemSeconds).toBeGreaterThan(0.2);
  });

  it('keeps the last reading of a process that ends', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log(1)'], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    const watching = await watch({ role: 'load', pid: child.pid! });
    watching.mark();
    child.kill();
    await once(child, 'exit');
    const [usage] = watching.stop();
    expect(usage).toMatchObject({ role: 'load' });
    expect(usage!.rssPeakBytes).toBeGreaterThan(1e6);
  });

  it('counts what passed through read and write, and the threads', async () => {
    const watching = await watch({ role: 'load', pid: process.pid });
    watching.mark();
    writeFileSync('/dev/null', Buffer.alloc(3_000_000));
    const [usage] = watching.stop();
    expect(usage!.io!.writeBytes).toBeGreaterThanOrEqual(3_000_000);
    expect(usage!.io!.writeBytes).toBeLessThan(6_000_000);
    expect(usage!.io!.writeCalls).toBeGreaterThanOrEqual(1);
    expect(usage!.threadsPeak).toBeGreaterThan(4);
  });

  it('writes counters that only grow, sample by sample, and a gap with its reason when the process ends', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log(1)'], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    const watching = await watch({ role: 'server', pid: child.pid! });
    for (let round = 0; round < 3; round++) watching.sample();
    child.kill();
    await once(child, 'exit');
    watching.sample();
    watching.sample();
    const cpu = watching.values('server', 'cpu') as number[];
    expect(cpu).toHaveLength(3);
    expect(cpu).toEqual(cpu.toSorted((a, b) => a - b));
    expect(watching.values('workers', 'cpu')).toHaveLength(3);
    const rss = watching.values('server', 'rss');
    expect(rss.slice(0, 3).every((bytes) => Number(bytes) > 1e6)).toBe(true);
    expect(rss.slice(3)).toEqual(['the process has ended']);
  });

  it('follows children that come later: their memory is in the sum', async () => {
    const shell = spawn(
      'sh',
      ['-c', `read line; "${process.execPath}" -e "console.log(2); process.stdin.resume()" & wait`],
      {
        stdio: 'pipe',
      },
    );
    const watching = await watch({ role: 'load', pid: shell.pid! });
    watching.sample();
    const alone = watching.values('load', 'rss').at(-1) as number;
    shell.stdin.write('go\n');
    await once(shell.stdout, 'data');
    for (let round = 0; round < 10; round++) watching.sample();
    expect(watching.values('load', 'rss').at(-1)).toBeGreaterThan(alone + 20e6);
    for (const pid of descendants(shell.pid!)) process.kill(pid);
    await once(shell, 'exit');
  });
});
