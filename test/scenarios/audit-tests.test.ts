import { describe, expect, it } from 'vitest';
import { summarise } from '../../results/summarise.js';
import { caching, otherSeeds, type Scored, sameAnswers } from '../../scenarios/audit-tests.js';
import { CLOSED, factsOf, type Row, steady } from '../results/facts.js';

/** A trial of 200 answers of `latencyMs`; the first `wrong` of them are wrong, the first `hits` came from a cache. */
function scored(latencyMs: number, { wrong = 0, hits = 0, minQueries = 0 } = {}): Scored {
  const rows = steady(200, 20, latencyMs).map(
    (row, i): Row => ({
      ...row,
      correct: i >= wrong,
      server: [0, 0, 0, 0, 0, 0],
      execution: i < hits ? [0, 0] : [i + 1, 1],
    }),
  );
  const facts = factsOf(rows, { load: { ...CLOSED, minQueries } });
  const { records } = facts;
  for (let row = 0; row < records.length; row++) records.sampleIndex[row] = row;
  const latencyNs = latencyMs * 1e6;
  return { summary: summarise(facts), records, score: { name: 'latency', value: 1e9 / latencyNs, latencyNs } };
}

const ALL_RIGHT = new Map(Array.from({ length: 200 }, (_, i) => [i, 1]));

describe('TEST01: accuracy inside performance', () => {
  it('passes where 2 of 200 answers differ from accuracy mode, fails at 3', () => {
    expect(sameAnswers(scored(5), scored(5, { wrong: 2 }), ALL_RIGHT)).toMatchObject({ state: 'PASS' });
    const found = sameAnswers(scored(5), scored(5, { wrong: 3 }), ALL_RIGHT);
    expect(found.state).toBe('FAIL');
    expect(found.message).toContain('3 of 200 answers under load are judged otherwise than in accuracy mode');
  });

  it('compares sample by sample: as many wrong ones, but others, are found', () => {
    const lastWrong = new Map([...ALL_RIGHT].map(([sample]) => [sample, sample < 190 ? 1 : 0]));
    expect(sameAnswers(scored(5), scored(5, { wrong: 10 }), lastWrong).message).toContain('20 of 200');
  });

  it('fails where judging costs more than a tenth, is skipped without an accuracy trial', () => {
    expect(sameAnswers(scored(5), scored(6), ALL_RIGHT).state).toBe('FAIL');
    expect(sameAnswers(scored(5), scored(5), undefined).state).toBe('SKIPPED');
  });
});

describe('TEST04: a repeated sample', () => {
  it('fails where it is more than a tenth faster, with the figures', () => {
    expect(caching(scored(5), scored(4.6)).state).toBe('PASS');
    const found = caching(scored(5), scored(4));
    expect(found.state).toBe('FAIL');
    expect(found.message).toContain('latency 4.00 ms against 5.00 ms, 25.0 % faster (at most 10.0 % faster)');
  });

  it('fails where a cache answered, however fast; allows a fifth below 200 µs', () => {
    expect(caching(scored(5), scored(5, { hits: 7 })).message).toContain('7 answers without an execution');
    expect(caching(scored(5), scored(5, { hits: 7 })).state).toBe('FAIL');
    expect(caching(scored(0.1), scored(0.085)).state).toBe('PASS');
  });
});

describe('TEST05: other seeds', () => {
  it('fails where they make it more than a tenth slower, or INVALID', () => {
    expect(otherSeeds(scored(5), scored(5.5)).state).toBe('PASS');
    expect(otherSeeds(scored(5), scored(5.6)).state).toBe('FAIL');
    const found = otherSeeds(scored(5), scored(5, { minQueries: 201 }));
    expect(found.state).toBe('FAIL');
    expect(found.message).toContain('INVALID: 200 queries were issued; at least 201 are needed');
  });
});
