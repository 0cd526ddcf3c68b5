import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { energyUsage } from '../../../results/energy.js';
import { startMonitors } from '../../../results/monitors/index.js';
import { nvml } from '../../../results/monitors/nvml.js';
import { openNvml } from '../../../results/monitors/nvml-library.js';
import { watched } from './harness.js';
import { buildStub } from './nvml-stub.js';

const stub = buildStub();
if ('skipped' in stub) process.stdout.write(`skipped: NVML against the C stub: ${stub.skipped}\n`);
const library = 'path' in stub ? stub.path : '';

afterEach(() => {
  delete process.env.NVML_STUB;
});

describe.runIf(library !== '')('the nvml monitor', () => {
  it('reads every device each time: values move, and each field carries its unit', async () => {
    const { monitor, readings, values } = await watched(nvml, { library });
    monitor.sample!();
    monitor.sample!();
    await monitor.stop();
    const [first, second] = values('gpu0', 'utilization') as [number, number];
    expect(second).toBeGreaterThan(first);
    expect(values('gpu0', 'memoryTotal')).toEqual([80 * 1024 ** 3, 80 * 1024 ** 3]);
    expect(values('gpu1', 'memoryUsed')[0]).toBe(10 * 1024 ** 3);
    expect(values('gpu0', 'clockGraphics')).toEqual([1410, 1410]);
    expect(values('gpu0', 'clockMemory')).toEqual([1593, 1593]);
    expect([values('gpu0', 'power')[0], values('gpu1', 'power')[0]]).toEqual([100, 200]);
    expect(values('gpu1', 'temperature')).toEqual([41, 41]);
    // Idle (0x1) is no throttling; 0x40 is the hardware's thermal slowdown.
    expect([values('gpu0', 'throttledByHeat')[0], values('gpu1', 'throttledByHeat')[0]]).toEqual([0, 100]);
    expect(values('gpu1', 'throttleReasons')[0]).toBe(0x40);
    expect(readings.find({ metric: 'energy' })).toMatchObject([
      { subject: 'gpu0', unit: 'J', kind: 'counter' },
      { subject: 'gpu1', unit: 'J', kind: 'counter' },
    ]);
  });

  it('has a gap with its reason, once, for every field that a device does not support', async () => {
    process.env.NVML_STUB = 'nothing';
    const { monitor, values } = await watched(nvml, { library });
    monitor.sample!();
    monitor.sample!();
    expect(monitor.idleMs).toBeUndefined();
    for (const metric of ['utilization', 'memoryUtilization', 'power', 'temperature', 'throttledByHeat', 'energy'])
      expect(values('gpu0', metric), metric).toEqual(['not supported by this device']);
    expect(values('gpu0', 'memoryUsed')).toHaveLength(2);
    await monitor.stop();
  });

  it('goes on with the others when a device is lost, and with that one when it is back', async () => {
    const { monitor, values, failures } = await watched(nvml, { library });
    for (const set of ['', 'lost', '']) {
      process.env.NVML_STUB = set;
      monitor.sample!();
    }
    await monitor.stop();
    expect(failures).toEqual([]);
    expect(values('gpu0', 'power')).toEqual([100, 100, 100]);
    expect(values('gpu1', 'power')).toEqual([200, expect.stringContaining('the GPU is lost'), 200]);
    expect(values('gpu1', 'memoryUsed')[1]).toContain('the GPU is lost');
  });

  it('tells the parts of a divided device beside the whole', async () => {
    process.env.NVML_STUB = 'mig';
    const { devices, driver, close } = await openNvml(library);
    expect(driver).toBe('550.54.15');
    expect(devices.map(({ subject, name }) => [subject, name])).toEqual([
      ['gpu0', 'Stub GPU 0'],
      ['gpu0.mig0', 'Stub MIG 1'],
      ['gpu0.mig1', 'Stub MIG 2'],
      ['gpu1', 'Stub GPU 1'],
    ]);
    close();
    const { monitor, values } = await watched(nvml, { library });
    monitor.sample!();
    expect(values('gpu0.mig1', 'memoryUsed')).toEqual([5 * 1024 ** 3]);
    expect(values('gpu0.mig1', 'energy')).toEqual(['not supported by this device']);
    await monitor.stop();
  });

  it('says why it can’t run: no library, no driver, no device', async () => {
    expect(await nvml.unavailable({ library: 'libno-such-thing.so.1' })).toContain('libno-such-thing.so.1');
    process.env.NVML_STUB = 'broken';
    expect(await nvml.unavailable({ library })).toContain('the NVIDIA driver is not loaded');
    process.env.NVML_STUB = 'none';
    expect(await nvml.unavailable({ library })).toContain('no device');
  });

  it('gives joules by the counter, less the idle power: a device that always draws 100 W has none left', async () => {
    const set = await startMonitors({ choices: [{ name: 'nvml', options: { library } }], periodMs: 20 });
    const begin = performance.now();
    await set.idle();
    expect(performance.now() - begin).toBeGreaterThan(1900);
    const origin = Date.now();
    await delay(400);
    const { readings, reports } = await set.stop();
    expect(reports).toMatchObject([{ name: 'nvml', state: 'ran' }]);
    const [gpu0, gpu1] = energyUsage(readings(origin), { fromNs: 0, toNs: 300e6 }, 10);
    expect(gpu0!.joules).toBeCloseTo(30, -0.5);
    expect(gpu0!.idleWatts).toBeGreaterThan(97);
    expect(gpu0!.idleWatts).toBeLessThan(103);
    expect(Math.abs(gpu0!.netJoules!)).toBeLessThan(2);
    expect(gpu1!.joules! / gpu0!.joules!).toBeCloseTo(2, 0);
  });
});
