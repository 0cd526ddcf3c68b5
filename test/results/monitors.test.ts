import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { parseStat } from '../../results/monitors/proc-reader.js';
import { monitor, monitors } from '../../results/monitors/registry.js';

const proc = monitor('proc')!;
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

describe('every monitor', () => {
  for (const one of monitors)
    it(`${one.name} says why it can't run, or watches a process that is gone without failing`, () => {
      const reason = one.unavailable();
      if (reason !== undefined) return expect(reason).not.toBe('');
      const watching = one.start([{ role: 'load', pid: 2 ** 22 + 1 }], 10);
      watching.mark();
      expect(watching.stop()).toEqual([]);
    });
});

describe('a line of /proc/pid/stat', () => {
  it('is counted from the last bracket: the name may hold blanks and brackets', () => {
    const fields = Array.from({ length: 49 }, (_, i) => String(i + 4));
    expect(parseStat(`42 (a ) (b c) S ${fields.join(' ')}`)).toEqual({
      ...{ user: 14, system: 15, childUser: 16, childSystem: 17 },
    });
  });
});

describe.runIf(here)('the proc monitor', () => {
  it('tells the main thread as server and the rest as workers; what was burnt on the main thread is the server’s', () => {
    const watching = proc.start([{ role: 'server', pid: process.pid }], 1000);
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
    const watching = proc.start([{ role: 'server', pid: process.pid }], 1000);
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
    const watching = proc.start([{ role: 'load', pid: child.pid! }], 1000);
    watching.mark();
    child.kill();
    await once(child, 'exit');
    const [usage] = watching.stop();
    expect(usage).toMatchObject({ role: 'load' });
    expect(usage!.rssPeakBytes).toBeGreaterThan(1e6);
  });
});
