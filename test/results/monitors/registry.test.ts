import { describe, expect, it } from 'vitest';
import type { MonitorDefinition } from '../../../results/monitors/contract.js';
import { monitors, startMonitors } from '../../../results/monitors/index.js';

describe('every monitor', () => {
  for (const one of monitors as readonly MonitorDefinition[])
    it(`${one.name} says why it can't run, or watches a process that is gone without failing`, async () => {
      const set = await startMonitors({ choices: [{ name: one.name, options: {} }], periodMs: 10 });
      set.watch({ role: 'load', pid: 2 ** 22 + 1 });
      set.mark();
      await new Promise((resolve) => setTimeout(resolve, 30));
      const { processes, reports } = await set.stop();
      expect(processes).toEqual([]);
      expect(reports).toHaveLength(1);
      if (reports[0]!.state !== 'ran') expect(reports[0]!.reason).toMatch(/\w/);
    });
});

describe('the monitors of a trial', () => {
  it('read on their own clock and are told what they cost; times count from the load’s t = 0', async () => {
    const set = await startMonitors({ choices: [{ name: 'proc', options: {} }], periodMs: 10 });
    set.watch({ role: 'load', pid: process.pid });
    const origin = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 120));
    const { readings, reports, processes } = await set.stop();
    const [report] = reports;
    if (process.platform !== 'linux') return expect(report!.state).toBe('absent');
    expect(report).toMatchObject({ name: 'proc', state: 'ran', periodMs: 10 });
    expect(report!.rounds).toBeGreaterThan(3);
    expect(report!.cpuSeconds).toBeGreaterThan(0);
    expect(processes).toMatchObject([{ role: 'load' }]);
    const read = readings(origin);
    const [rss] = read.find({ metric: 'rss' });
    const points = read.points(rss!);
    expect(points.length).toBeGreaterThan(3);
    expect(points[0]!.atNs).toBeGreaterThan(-10e6);
    expect(points.at(-1)!.atNs).toBeLessThan(5e9);
  });

  it('that are not known or have no such option are refused by name', async () => {
    await expect(startMonitors({ choices: [{ name: 'prok', options: {} }] })).rejects.toThrow(/Did you mean "proc"/);
    await expect(startMonitors({ choices: [{ name: 'proc', options: { x: 1 } }] })).rejects.toThrow(/unknown key "x"/);
  });
});
