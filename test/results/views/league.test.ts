import { beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../../results/report.js';
import type { StoredRun } from '../../../results/run.js';
import { comparedGroups } from '../../../results/views/support/groups.js';
import { byInstances, computeCost, leadersOf, regionsOf } from '../../../results/views/support/standings.js';
import { fakeRun } from '../../fakes/runs.js';

/** Real queues: at `over` (4,200/s) serial can't keep up, two instances nearly, batches of 32 easily. */
const fake = fakeRun({ repeats: 5, loads: ['half', 'over'], transports: ['grpc'], requests: 1500 });
const run: StoredRun = {
  ...fake.run,
  plan: {
    ...fake.run.plan,
    systems: fake.run.plan.systems.map((system) => ({ ...system, instances: system.name === 'two' ? 2 : 1 })),
    league: { leftOut: [{ name: 'triton-sequence', reason: 'it serves sequences' }] },
  },
};
const [, one] = byInstances(comparedGroups(run), run.plan)[0]!;

describe('a league', () => {
  const regions = regionsOf(one, computeCost, 4n, undefined);
  const region = (load: string) => regions.find(({ arena }) => arena[0]!.load === load)!;

  it('compares systems on as many instances', () => {
    expect(byInstances(comparedGroups(run), run.plan).map(([instances]) => instances)).toEqual([1, 2]);
    expect(new Set(one.map(({ system }) => system))).toEqual(new Set(['serial', 'batching']));
  });

  it('lets p99 decide only among those that keep up in goodput: overloaded, serial is out', () => {
    expect(leadersOf(region('over').goodput)).toEqual(['batching']);
    expect(region('over').p99!.rivals).toEqual([]);
    expect(region('over').choice).toEqual(['batching']);
  });

  it('calls level what loses less than one percent: at half load both answer all they are offered', () => {
    expect(new Set(leadersOf(region('half').goodput))).toEqual(new Set(['serial', 'batching']));
  });

  it('counts each execution once: a batch of two that takes 3 ms costs 1.5 ms an answer', () => {
    const [summary] = one[0]!.summaries;
    const pair = { ...summary!, counts: { ...summary!.counts, ok: 2 }, busyNs: 3e6, goodputPerSecond: 10 };
    expect(computeCost.pick({ ...pair, throughputPerSecond: 10 })).toBe(1.5e6);
    expect(computeCost.pick({ ...pair, throughputPerSecond: 20 })).toBe(3e6); // half of the answers came too late
    expect(computeCost.pick({ ...pair, busyNs: null })).toBeNull();
    expect(computeCost.pick({ ...pair, throughputPerSecond: 20, goodputPerSecond: 0 })).toBeNull();
  });
});

describe('its report', () => {
  let text: string;
  beforeAll(async () => {
    text = (await renderReport(run, 'markdown', { records: fake.records, views: ['decision', 'league'] })).text;
  });

  it('says which strategy when, by rule, and what another choice costs', () => {
    expect(text).toContain('over: **batching**.');
    expect(text).toMatch(/If it has to be one for all loads: \*\*batching\*\* loses no goodput anywhere/);
    expect(text).toMatch(/\| serial \| \d+\.\d % \(over\)/);
  });

  it('ranks serial last, names the loads that each leads, and who is left out', () => {
    const rows = text.split('\n').filter((line) => /^\| \w+ \| \d \|/.test(line));
    expect(rows).toHaveLength(3);
    expect(rows.at(-1)).toMatch(/^\| serial \| 3 \|/);
    expect(text).toContain('`triton-sequence`: it serves sequences');
  });

  it('has only the views that were asked for', () => {
    expect(text).not.toContain('## Environment');
  });

  it('is absent from any other run', async () => {
    const other = await renderReport(fake.run, 'markdown', { records: fake.records });
    expect(other.text).not.toContain('League table');
    expect(other.text).not.toContain('Which strategy when');
  });
});
