import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecordFile, readRecords, writeRecords } from '../../results/arrow.js';
import { UserError } from '../../results/errors.js';
import { OUTCOMES, RecordTable } from '../../results/record.js';

const folder = mkdtempSync(join(tmpdir(), 'records '));
afterAll(() => rmSync(folder, { recursive: true }));

describe('record files', () => {
  it('come back as they were written, unknown times as NaN and spare capacity left out', () => {
    const table = new RecordTable(5);
    table.length = 3;
    table.sequence.set([0, 1, 2]);
    table.query.set([0, 0, 1]);
    table.dueNs.set([0, 5e6, 1e7]);
    table.issuedNs.set([100, 5_000_100]);
    table.completedNs.set([2e6, 7e6]);
    table.outcome.set([OUTCOMES.indexOf('ok'), OUTCOMES.indexOf('failed')]);
    table.error[1] = table.errorNumber('HTTP 503');
    table.warmUp[0] = 1;
    table.queueNs[0] = 42;
    table.sentNs[0] = 150;
    table.serverTotalNs[0] = 43;
    table.serverSeenNs[1] = 3e12;
    table.batchSize[0] = 4;
    table.correct.set([1, 0, -1]);
    const path = join(folder, 'three.arrow');
    writeRecords(path, table, { trial: 'serial.half.r1' });

    const { records, metadata } = readRecordFile(path);
    expect(records.length).toBe(3);
    expect(metadata).toEqual({ trial: 'serial.half.r1', 'servemark.schema': '1' });
    for (const name of [
      'sequence',
      'query',
      'dueNs',
      'issuedNs',
      'completedNs',
      'queueNs',
      'serverSeenNs',
      'sentNs',
      'serverTotalNs',
      'batchSize',
    ] as const)
      expect([...records[name]], name).toEqual([...table[name].subarray(0, 3)]);
    expect([...records.outcome].map((code) => OUTCOMES[code])).toEqual(['ok', 'failed', 'unfinished']);
    expect(records.errorCodes[records.error[1]!]).toBe('HTTP 503');
    expect([...records.error]).toEqual([0, 1, 0]);
    expect([...records.warmUp]).toEqual([1, 0, 0]);
    expect([...records.correct]).toEqual([1, 0, -1]);
  });

  it('read as text, booleans and nulls in any Arrow reader', () => {
    const table = new RecordTable(2);
    table.length = 2;
    table.outcome.set([0, 1]);
    table.completedNs[0] = 7;
    table.error[1] = table.errorNumber('queue-full');
    table.warmUp[1] = 1;
    const path = join(folder, 'plain.arrow');
    writeRecords(path, table, {});
    const rows = tableFromIPC(readFileSync(path)).toArray();
    expect(rows[0]).toMatchObject({ outcome: 'ok', error: null, completedNs: 7, warmUp: false, correct: null });
    expect(rows[1]).toMatchObject({ outcome: 'rejected', error: 'queue-full', completedNs: null, warmUp: true });
  });

  it('survive a round trip whatever the values', () => {
    const path = join(folder, 'any.arrow');
    const row = fc.record({
      dueNs: fc.double({ noNaN: true }),
      queueNs: fc.double(),
      outcome: fc.nat(OUTCOMES.length - 1),
      error: fc.constantFrom('', 'a', 'b'),
      warmUp: fc.nat(1),
      correct: fc.integer({ min: -1, max: 1 }),
      rows: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const table = new RecordTable(rows.length);
        table.length = rows.length;
        rows.forEach((values, i) => {
          for (const name of ['dueNs', 'queueNs', 'outcome', 'warmUp', 'correct', 'rows'] as const)
            table[name][i] = values[name];
          table.error[i] = table.errorNumber(values.error);
        });
        writeRecords(path, table, {});
        const back = readRecords(path);
        for (const name of ['dueNs', 'queueNs', 'outcome', 'warmUp', 'correct', 'rows', 'error'] as const)
          expect(back[name]).toEqual(table[name]);
        expect(back.errorCodes.slice(0, 3)).toEqual(table.errorCodes);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('leave no temporary file behind', () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that are none are refused with their path', () => {
    const path = join(folder, 'broken.arrow');
    writeFileSync(path, 'ARROW1 but no more');
    expect(() => readRecords(path)).toThrow(UserError);
    expect(() => readRecords(path)).toThrow(path);
    expect(() => readRecords(join(folder, 'absent.arrow'))).toThrow(/ENOENT/);
  });
});
