import { describe, expect, it } from 'vitest';
import { OUTCOMES, RecordTable } from '../../results/record.js';
import { timeSeries } from '../../results/timeline.js';

/** A constant 100/s for a second; the server stands still from 500 ms to 700 ms and then answers what waited at once. */
function stalled(): RecordTable {
  const table = new RecordTable(100);
  for (let i = 0; i < 100; i++) {
    const due = i * 10e6;
    table.dueNs[i] = due;
    table.issuedNs[i] = due;
    table.completedNs[i] = due >= 500e6 && due < 700e6 ? 700e6 : due + 1e6;
    table.outcome[i] = OUTCOMES.indexOf('ok');
    table.rows[i] = 1;
    table.batchSize[i] = due >= 500e6 && due < 700e6 ? 20 : 1;
  }
  table.length = 100;
  return table;
}

describe('a time series', () => {
  const series = timeSeries(stalled(), 10, 1e9);

  it('counts answers when they came: none for 200 ms, then all that waited', () => {
    expect([...series.ratePerSecond]).toEqual([100, 100, 100, 100, 100, 0, 0, 300, 100, 100]);
  });

  it('shows latency when the request was due: 200 … 110 ms, then 100 … 10 ms', () => {
    const [early, late] = [series.latencyNs.p50[5]!, series.latencyNs.p50[6]!].map((ns) => ns / 1e6);
    expect(early).toBeGreaterThan(145);
    expect(early).toBeLessThan(165);
    expect(late).toBeGreaterThan(45);
    expect(late).toBeLessThan(65);
    expect(series.latencyNs.p50[0]! / 1e6).toBeCloseTo(1, 1);
  });

  it('counts as outstanding what was due and has not ended', () => {
    expect([...series.outstanding]).toEqual([0, 0, 0, 0, 0, 10, 20, 0, 0, 0]);
  });

  it('means the size of executions, not of requests: one of 20 beside ten of 1', () => {
    expect(series.meanBatch[7]).toBeCloseTo(30 / 11, 6);
    expect(series.meanBatch[5]).toBeNaN();
  });

  it('leaves warm-up out, and keeps what never ended outstanding', () => {
    const table = stalled();
    table.warmUp[0] = 1;
    table.completedNs[99] = Number.NaN;
    table.outcome[99] = OUTCOMES.indexOf('unfinished');
    const other = timeSeries(table, 10, 1e9);
    expect(other.ratePerSecond[0]).toBe(90);
    expect(other.outstanding[9]).toBe(1);
  });
});
