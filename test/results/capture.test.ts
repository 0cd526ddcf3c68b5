import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { captureEnvironment } from '../../results/capture.js';

const root = mkdtempSync(join(tmpdir(), 'machine '));
afterAll(() => rmSync(root, { recursive: true }));

function machine(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  return folder;
}

describe('the environment', () => {
  it('of a Linux machine is read from /proc and /sys', () => {
    const systemRoot = machine('linux', {
      'proc/cpuinfo': 'processor\t: 0\nmodel name\t: Fast 9000\ncpu MHz\t\t: 2500.5\nflags\t\t: fpu avx2 avx512f\n',
      'proc/meminfo': 'MemTotal: 2048 kB\nMemAvailable:    1024 kB',
      'proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-1',
      'proc/stat': 'cpu  10 0 10 70 0 0 0 10 0 0\ncpu0 1 2 3',
      'proc/self/cgroup': '0::/a/b',
      'sys/fs/cgroup/a/b/cpu.max': 'max 100000',
      'sys/fs/cgroup/a/cpu.max': '150000 100000',
      'sys/fs/cgroup/cpu.max': '400000 100000',
      'sys/fs/cgroup/a/b/memory.max': '1073741824',
      'sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'performance',
      'proc/driver/nvidia/gpus/0000:01:00.0/information': 'Model: \t\t NVIDIA A100\nIRQ: 7',
    });
    expect(captureEnvironment({ systemRoot, providers: ['cpu'] })).toMatchObject({
      cpu: {
        model: 'Fast 9000',
        flags: ['fpu', 'avx2', 'avx512f'],
        governor: 'performance',
        affinity: '0-1',
        mhz: 2500.5,
      },
      memory: { availableBytes: 1024 * 1024 },
      load: { stealPercentSinceBoot: 10 },
      cgroup: { cpuQuotaCores: 1.5, memoryLimitBytes: 1073741824 },
      onnxruntime: { providers: ['cpu'] },
      gpu: { state: 'present', names: ['NVIDIA A100'] },
    });
  });

  it('reads limits of control groups version 1, whose "no limit" is a huge number', () => {
    const systemRoot = machine('legacy', {
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    });
    expect(captureEnvironment({ systemRoot }).cgroup).toEqual({ cpuQuotaCores: 0.5, memoryLimitBytes: null });
  });

  it('of a machine without /proc and /sys is null where it does not tell, never 0', () => {
    const found = captureEnvironment({ systemRoot: machine('bare', {}) });
    expect(found).toMatchObject({
      cpu: { governor: null, affinity: null },
      cgroup: { cpuQuotaCores: null, memoryLimitBytes: null },
      load: { stealPercentSinceBoot: null },
      gpu: { state: 'absent' },
    });
    expect(found.cpu.logicalCores).toBeGreaterThan(0);
  });

  it('names the versions in use', () => {
    const found = captureEnvironment();
    const packaged = JSON.parse(readFileSync('package.json', 'utf8')) as {
      version: string;
      dependencies: Record<string, string>;
    };
    expect(found.servemark.version).toBe(packaged.version);
    expect(found.node.version).toBe(process.version);
    expect(found.onnxruntime.version).toBe(packaged.dependencies['onnxruntime-node']);
    if (found.servemark.commit !== null) expect(found.servemark.commit).toMatch(/^[0-9a-f]{40}$/);
  });
});
