import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { readRecords, writeRecords } from '../../results/arrow.js';
import { summarise } from '../../results/summarise.js';
import { factsOf, steady } from './facts.js';

/** 100 requests, every fourth of paying in 1 ms, the others of bulk in 10 ms; the last of bulk is refused. */
function mixed() {
  const rows = steady(100, 10, (i) => (i % 4 === 0 ? 1 : 10)).map((row, i) =>
    i === 99 ? { ...row, outcome: 'rejected' as const, error: 'queue-full' } : row,
  );
  const facts = factsOf(rows);
  facts.records.tenants.push('paying', 'bulk');
  for (let row = 0; row < 100; row++) facts.records.tenant[row] = row % 4 === 0 ? 1 : 2;
  return facts;
}

test('each tenant has its own counts and latencies', () => {
  const [paying, bulk] = summarise(mixed()).tenants!;
  expect(paying).toMatchObject({ tenant: 'paying', offered: 25, ok: 25, errors: 0 });
  expect(bulk).toMatchObject({ tenant: 'bulk', offered: 75, ok: 74, errors: 1 });
  expect([paying!.latencyNs.max, bulk!.latencyNs.min]).toEqual([1e6, 10e6]);
  expect(paying!.latencyNs.p99).toEqual({ value: null, reason: 'n too small (needs 662)' });
  expect(summarise(factsOf(steady(10, 1, 1))).tenants).toBeUndefined();
});

test('the record file keeps tenants as text, and has no such column where the load is not mixed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenants-'));
  try {
    const { records } = mixed();
    const path = join(folder, 'records.arrow');
    writeRecords(path, records, {});
    expect(tableFromIPC(readFileSync(path)).getChild('tenant')!.get(0)).toBe('paying');
    const read = readRecords(path);
    expect(read.tenants).toEqual(['', 'paying', 'bulk']);
    expect([...read.tenant]).toEqual([...records.tenant]);
    writeRecords(path, factsOf(steady(3, 1, 1)).records, {});
    expect(tableFromIPC(readFileSync(path)).getChild('tenant')).toBeNull();
    expect(readRecords(path).tenants).toEqual(['']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
