import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startMonitors } from '../../../results/monitors/index.js';
import { nodeNvidiaSmi } from '../../../results/monitors/node-nvidia-smi.js';
import { nvidiaSmi } from '../../../results/monitors/nvidia-smi.js';
import { watched } from './harness.js';

const program = resolve('test/fixtures/monitors/fake-nvidia-smi.mjs');
const path = process.env.PATH;

afterEach(() => {
  delete process.env.FAKE_SMI;
  process.env.PATH = path;
});

async function until(check: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !check(); i++) await delay(20);
  expect(check()).toBe(true);
}

describe('the nvidia-smi monitor', () => {
  it('reads the lines of one streaming process: MiB become bytes, what is no number a gap with its text', async () => {
    const { monitor, values, failures } = await watched(nvidiaSmi, { program }, 20);
    await until(() => values('gpu1', 'power').length > 4);
    const end = await monitor.stop();
    expect(failures).toEqual([]);
    expect(values('gpu0', 'utilization').slice(0, 3)).toEqual([41, 42, 43]);
    expect(values('gpu0', 'memoryUsed')[0]).toBe(1024 ** 3);
    expect(values('gpu0', 'power')[0]).toBe(61.25);
    expect(values('gpu1', 'power').slice(0, 5)).toEqual([
      ...Array(3).fill('not supported by this device'),
      'GPU is lost',
      'GPU is lost',
    ]);
    expect(values('gpu0', 'energy')).toEqual([expect.stringContaining('the nvml monitor does')]);
    if (process.platform === 'linux') expect(end.programCpuSeconds).toBeGreaterThan(0);
  });

  it('that dies in the middle says what it said last, and the trial goes on', async () => {
    process.env.FAKE_SMI = 'dies';
    const set = await startMonitors({ choices: [{ name: 'nvidia-smi', options: { program } }], periodMs: 20 });
    await delay(1500);
    const { reports } = await set.stop();
    expect(reports[0]).toMatchObject({ state: 'failed' });
    expect(reports[0]!.reason).toContain('could not communicate with the NVIDIA driver');
  });

  it('says that there is no such program', () => {
    expect(nvidiaSmi.unavailable({ program: '/no/nvidia-smi' })).toContain('/no/nvidia-smi');
  });
});

describe('the node-nvidia-smi monitor', () => {
  it('reads both devices through the package, the renamed power element too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'smi-'));
    cpSync(program, join(folder, 'nvidia-smi'));
    process.env.PATH = `${folder}:${path}`;
    const reason = nodeNvidiaSmi.unavailable();
    if (reason !== undefined) {
      process.stdout.write(`skipped: ${reason}\n`);
      return;
    }
    const { monitor, values, failures } = await watched(nodeNvidiaSmi);
    monitor.sample!();
    await until(() => values('gpu1', 'temperature').length > 0 || failures.length > 0);
    expect(failures).toEqual([]);
    expect(values('gpu0', 'utilization')).toEqual([40]);
    expect(values('gpu1', 'memoryUsed')).toEqual([2 * 1024 ** 3]);
    expect(values('gpu0', 'power')).toEqual([61.25]);
    expect(values('gpu1', 'power')).toEqual(['not supported by this device']);
    await monitor.stop();
  });
});
