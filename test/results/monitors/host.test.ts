import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { watchEventLoop } from '../../../results/event-loop.js';
import { cgroup } from '../../../results/monitors/cgroup.js';
import type { EventLoopFigures } from '../../../results/monitors/contract.js';
import { host } from '../../../results/monitors/host.js';
import { watched } from './harness.js';

/** A machine of files. */
function machine(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('the host monitor', () => {
  it('reads steal and the other times in seconds, the load, and the mean clock of the processors', async () => {
    const root = machine({
      'proc/stat': 'cpu  100 2 30 400 5 0 7 880 0 0\ncpu0 1 1 1 1\n',
      'proc/loadavg': '1.25 0.50 0.10 2/345 6789\n',
      'sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': '2000000\n',
      'sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq': '3000000\n',
    });
    const { monitor, values } = await watched(host, { root });
    monitor.sample!();
    expect(values('host', 'cpuSteal')).toEqual([8.8]);
    expect(values('host', 'cpuUser')).toEqual([1]);
    expect(values('host', 'load1m')).toEqual([1.25]);
    expect(values('host', 'frequency')).toEqual([2500]);
    await monitor.stop();
  });

  it('has gaps with reasons where the machine does not tell', async () => {
    const { monitor, values } = await watched(host, { root: machine({ 'proc/stat': 'cpu  1 2 3 4\n' }) });
    monitor.sample!();
    expect(values('host', 'cpuSteal')).toEqual(['/proc/stat does not tell it']);
    expect(values('host', 'frequency')[0]).toContain('cpufreq');
    await monitor.stop();
    expect(host.unavailable({ root: machine({}) })).toContain('/proc/stat');
  });
});

describe('the cgroup monitor', () => {
  it('reads version 2: usage, throttling by the quota, memory', async () => {
    const root = machine({
      'proc/self/cgroup': '0::/box/one\n',
      'sys/fs/cgroup/box/one/cpu.stat': 'usage_usec 2500000\nnr_periods 40\nnr_throttled 12\nthrottled_usec 750000\n',
      'sys/fs/cgroup/box/one/memory.current': '1048576\n',
      'sys/fs/cgroup/box/one/cpu.pressure':
        'some avg10=0.00 avg60=0.00 avg300=0.00 total=123000\nfull avg10=0.00 total=5\n',
    });
    const { monitor, values } = await watched(cgroup, { root });
    monitor.sample!();
    expect(values('cgroup', 'cpu')).toEqual([2.5]);
    expect(values('cgroup', 'throttledPeriods')).toEqual([12]);
    expect(values('cgroup', 'throttled')).toEqual([0.75]);
    expect(values('cgroup', 'memory')).toEqual([1048576]);
    expect(values('cgroup', 'cpuPressure')[0]).toBeCloseTo(0.123, 9);
    await monitor.stop();
  });

  it('reads version 1, whose times are nanoseconds and whose controllers have mounts of their own', async () => {
    const root = machine({
      'proc/self/cgroup': '4:memory:/box\n3:cpu,cpuacct:/box\n',
      'sys/fs/cgroup/cpu,cpuacct/box/cpu.stat': 'nr_periods 4\nnr_throttled 1\nthrottled_time 500000000\n',
      'sys/fs/cgroup/cpu,cpuacct/box/cpuacct.usage': '3000000000\n',
      'sys/fs/cgroup/memory/box/memory.usage_in_bytes': '4096\n',
    });
    const { monitor, values } = await watched(cgroup, { root });
    monitor.sample!();
    expect(values('cgroup', 'cpu')).toEqual([3]);
    expect(values('cgroup', 'throttled')).toEqual([0.5]);
    expect(values('cgroup', 'memory')).toEqual([4096]);
    await monitor.stop();
  });

  it('has a gap where a group has no quota, and can’t run where there is no group', async () => {
    const root = machine({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.stat': 'usage_usec 1\n' });
    const { monitor, values } = await watched(cgroup, { root });
    monitor.sample!();
    expect(values('cgroup', 'throttled')).toEqual([expect.stringContaining('no quota')]);
    await monitor.stop();
    expect(cgroup.unavailable({ root: machine({}) })).toMatch(/\w/);
  });
});

describe('an event loop', () => {
  it('that is blocked for 150 ms tells a delay of more than 100 ms, and a busy one its utilisation', async () => {
    const told: EventLoopFigures[] = [];
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stop = watchEventLoop(60, (figures) => void told.push(figures));
    const keep = setInterval(() => {}, 10);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const end = performance.now() + 150;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop();
    clearInterval(keep);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...told.map(({ delayMaxNs }) => delayMaxNs))).toBeGreaterThan(100e6);
    expect(Math.max(...told.map(({ utilization }) => utilization))).toBeGreaterThan(0.4);
  });
});
