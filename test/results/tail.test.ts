import { describe, expect, it } from 'vitest';
import { tailAttribution } from '../../results/tail.js';
import { recordsOf } from './facts.js';

/** 1,000 requests of 2 ms (1 ms of it infer, .5 queue); the slowest 2 % wait 8 ms more in the queue and 2 ms in the network. */
const rows = Array.from({ length: 1000 }, (_, i) => {
  const slow = i % 50 === 7;
  return {
    due: i * 20,
    completed: i * 20 + (slow ? 12 : 2),
    server: [0.1, slow ? 8.5 : 0.5, 0.1, 1, 0.1, 0.1] as const,
  };
});

describe('tail attribution', () => {
  it('names the queue for 80 % and the residual for 20 % of what the slowest take longer', () => {
    const found = tailAttribution(recordsOf(rows))!;
    expect(found).toMatchObject({ requests: 1000, typicalNs: 2e6, tailNs: 12e6 });
    const share = Object.fromEntries(found.parts.map((part) => [part.name, part.share]));
    expect(share.queue).toBeCloseTo(0.8, 9);
    expect(share.residual).toBeCloseTo(0.2, 9);
    expect(share.computeInfer).toBeCloseTo(0, 9);
    expect(Object.values(share).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9);
  });

  it('is not led by one stalled request: medians, not means', () => {
    const stalled = rows.map((row, i) => (i === 7 ? { ...row, completed: row.completed + 5000 } : row));
    const { parts } = tailAttribution(recordsOf(stalled))!;
    expect(parts.find(({ name }) => name === 'queue')!.share).toBeCloseTo(0.8, 9);
  });

  it('says nothing of too few requests, or where the server does not tell', () => {
    expect(tailAttribution(recordsOf(rows.slice(0, 600)))).toBeUndefined();
    expect(tailAttribution(recordsOf(rows.map(({ due, completed }) => ({ due, completed }))))).toBeUndefined();
  });
});
