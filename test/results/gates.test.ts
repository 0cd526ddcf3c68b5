import { describe, expect, it } from 'vitest';
import type { TrialFacts } from '../../results/facts.js';
import { gate, gates } from '../../results/gates/registry.js';
import { canonicalDouble, FastRandom } from '../../results/stats/random.js';
import { summarise } from '../../results/summarise.js';
import type { Finding } from '../../results/summary.js';
import { CLOSED, factsOf, OFFLINE, type Row, SERVER, steady } from './facts.js';

const findings = (facts: TrialFacts): readonly Finding[] => summarise(facts).verdict.findings;
const rules = (facts: TrialFacts): string[] => findings(facts).map(({ rule }) => rule);
const finding = (facts: TrialFacts, rule: string) => findings(facts).find((one) => one.rule === rule);

/** 6,000 requests every ms; the last `late` of them are issued `by` ms late. */
function delayed(late: number, by: number): Row[] {
  return steady(6000, 1, 1).map((row, i) =>
    i < 6000 - late ? row : { due: row.due, issued: row.due + by, completed: row.completed! + by },
  );
}

describe('a verdict', () => {
  it('is VALID without findings where no rule is broken', () => {
    expect(summarise(factsOf(steady(1000, 10, 5))).verdict).toEqual({ state: 'VALID', findings: [] });
  });

  it('names rule, message and advice in every finding', () => {
    const everythingWrong = factsOf(delayed(3000, 50).slice(0, 100), {
      load: { minDurationNs: 60e9, minQueries: 1e6 },
      drive: { stoppedEarly: 'outstanding cap', clockDrift: 0.5 },
      targets: { p99LatencyNs: 1, errorRate: 0 },
    });
    const found = findings(everythingWrong);
    expect(found.length).toBeGreaterThanOrEqual(5);
    for (const { rule, message, advice } of found) {
      expect(gate(rule)).toBeDefined();
      expect(message).toMatch(/[.:].*$|\.$/);
      expect(advice).toMatch(/\.$/);
    }
  });

  it('has one gate a name', () => {
    expect(new Set(gates.map(({ name }) => name)).size).toBe(gates.length);
  });
});

describe('dispatch lateness', () => {
  it('fires where 312 of 6,000 requests left 41 ms late, and blames the load generator', () => {
    const found = finding(factsOf(delayed(312, 41)), 'dispatch-lateness')!;
    expect(found.severity).toBe('invalid');
    expect(found.message).toBe(
      '312 of 6,000 requests were issued more than 1.00 ms after they were due (p99 41.0 ms). The load generator, not the server, was the limit.',
    );
    expect(found.advice).toMatch(/lower the rate, use a machine with more cores/i);
  });

  it('lets 59 of 6,000 be late: their p99 is still on time', () => {
    expect(rules(factsOf(delayed(59, 41)))).toEqual([]);
  });

  it('allows 5 % of the median latency: 40 ms late is nothing beside a median of 1 s', () => {
    const rows = steady(1000, 10, 1000).map((row) => ({ ...row, issued: row.due + 40 }));
    expect(rules(factsOf(rows))).toEqual([]);
    const faster = steady(1000, 10, 700).map((row) => ({ ...row, issued: row.due + 40 }));
    expect(rules(factsOf(faster))).toEqual(['dispatch-lateness']);
  });

  it('blames the cap where the cap held requests back', () => {
    // Pairs are due every ms; two may be in flight, 10 ms each.
    const rows = Array.from({ length: 100 }, (_, i): Row => {
      const pair = Math.floor(i / 2);
      return { due: pair, issued: pair * 10, completed: pair * 10 + 10 };
    });
    const found = finding(factsOf(rows, { load: { cap: 2 } }), 'dispatch-lateness')!;
    expect(found.message).toContain('The limit of 2 requests in flight held them back.');
    expect(found.advice).toMatch(/connections/);
    expect(finding(factsOf(rows, { load: { cap: 3 } }), 'dispatch-lateness')!.message).toContain('load generator');
  });

  it('does not judge closed loops, nor offline, where waiting is the measurement', () => {
    expect(rules(factsOf(delayed(3000, 500), { load: CLOSED }))).toEqual([]);
    expect(rules(factsOf(delayed(3000, 500), { load: OFFLINE }))).toEqual([]);
  });
});

describe('delivery', () => {
  const unsent = (n: number) =>
    steady(1000, 10, 1).map((row, i): Row => (i < 1000 - n ? row : { due: row.due, issued: Number.NaN }));

  it('fires where 6 of 1,000 requests were never sent, not where 5 were', () => {
    expect(finding(factsOf(unsent(6)), 'delivery')!.message).toContain('994 of 1,000');
    expect(rules(factsOf(unsent(5)))).toEqual([]);
  });

  it('leaves the word to stopped-early where the load ended early', () => {
    expect(rules(factsOf(unsent(500), { drive: { stoppedEarly: 'interrupted' } }))).toEqual(['stopped-early']);
  });
});

describe('the arrival law', () => {
  /** Exponential gaps of 1 ms in the mean; answers after 2 ms. */
  const poisson = (n: number): Row[] => {
    const random = new FastRandom(11n);
    let due = 0;
    return Array.from({ length: n }, () => {
      due -= Math.log(1 - canonicalDouble(random));
      return { due, completed: due + 2, seen: 5000 + due };
    });
  };

  it('fires where Poisson was asked and a metronome sent, with the share of gaps that are off', () => {
    const metronome = poisson(4000).map(
      (row, i): Row => ({ ...row, due: row.due * 10, issued: i * 10, completed: row.due * 10 + 2 }),
    );
    const found = finding(factsOf(metronome, { drive: { arrivals: 'poisson' } }), 'arrival-law')!;
    expect(found.severity).toBe('invalid');
    expect(found.message).toMatch(
      /^What was sent is not the poisson that was asked for: \d+(\.\d+)? % of the gaps lie more than 1.00 ms from/,
    );
    expect(rules(factsOf(poisson(4000)))).toEqual([]);
  });

  it('fires where 1,000 a second leave in one burst a second: the dispersion is hundreds, not 0', () => {
    const bursts = steady(20_000, 1, 2).map(
      (row, i): Row => ({ ...row, issued: Math.floor(i / 1000) * 1000 + 1000 + (i % 1000) * 0.001 }),
    );
    const found = finding(factsOf(bursts), 'arrival-law')!;
    expect(found.message).toMatch(/windows of 10\.0 ms have dispersion \d{3}\.\d\d instead of 0\.00/);
  });

  it('fires for bursts whose gaps are right to the tolerance: dispersion sees what gaps do not', () => {
    // Every 40 ms forty requests within a millisecond; each of their gaps is within 1 ms of the schedule's but one in forty.
    const bunched = steady(20_000, 1, 2).map(
      (row, i): Row => ({ ...row, issued: Math.floor(i / 40) * 40 + (i % 40) * 0.02 }),
    );
    const found = finding(factsOf(bunched), 'arrival-law')!;
    expect(found.severity).toBe('invalid');
    expect(found.message).toContain('the counts in windows of 10.0 ms have dispersion');
    expect(found.message).toContain('instead of 0.00');
  });

  it('allows the jitter that the dispatch gate allows: half a millisecond is no other law', () => {
    const random = new FastRandom(5n);
    const jittered = poisson(20_000).map((row): Row => ({ ...row, issued: row.due + canonicalDouble(random) * 0.5 }));
    expect(rules(factsOf(jittered))).toEqual([]);
  });

  it('warns where only the server saw other arrivals: its stall is its answer, not a fault of the load', () => {
    // The server reads nothing for 500 ms of every second.
    const stalled = poisson(20_000).map(
      (row): Row => ({ ...row, seen: row.due % 1000 < 500 ? Math.floor(row.due / 1000) * 1000 + 500 : row.due }),
    );
    const { verdict } = summarise(factsOf(stalled, { drive: { arrivals: 'poisson' } }));
    expect(verdict.state).toBe('VALID');
    expect(verdict.findings).toMatchObject([{ rule: 'arrival-law', severity: 'warning' }]);
    expect(verdict.findings[0]!.message).toContain('but the server saw other arrivals');
  });

  it('does not judge closed loops, offline, few requests, or what was stopped', () => {
    const bursts = steady(5000, 1, 1).map((row, i): Row => ({ ...row, issued: Math.floor(i / 1000) * 1000 }));
    expect(rules(factsOf(bursts, { load: CLOSED }))).not.toContain('arrival-law');
    expect(rules(factsOf(bursts, { load: OFFLINE }))).not.toContain('arrival-law');
    expect(rules(factsOf(bursts.slice(0, 99)))).not.toContain('arrival-law');
    expect(rules(factsOf(bursts, { drive: { stoppedEarly: 'interrupted' } }))).not.toContain('arrival-law');
  });

  it('keeps the dispersions of schedule, sending and server beside each other', () => {
    const { arrivals } = summarise(factsOf(poisson(20_000)));
    expect(arrivals!.due.dispersion.map(({ windowNs, windows }) => [windowNs, windows])).toMatchObject([
      [10e6, expect.any(Number)],
      [100e6, expect.any(Number)],
      [1e9, expect.any(Number)],
    ]);
    for (const side of [arrivals!.due, arrivals!.sent, arrivals!.seen!]) {
      expect(side.count).toBe(20_000);
      expect(Math.abs(side.dispersion[0]!.index - 1)).toBeLessThan(0.1);
    }
    expect(summarise(factsOf(steady(500, 1, 1))).arrivals).toMatchObject({
      seen: null,
      seenReason: 'the server does not tell when it saw a request',
    });
  });
});

describe('over-saturation', () => {
  /** A server that answers one request every `serviceMs`, in order. */
  const queued = (dues: readonly number[], serviceMs: number): Row[] => {
    let free = 0;
    return dues.map((due): Row => {
      free = Math.max(free, due) + serviceMs;
      return { due, completed: free };
    });
  };
  const poissonDues = (n: number, perMs: number, seed: bigint): number[] => {
    const random = new FastRandom(seed);
    let due = 0;
    return Array.from({ length: n }, () => (due -= Math.log(1 - canonicalDouble(random)) / perMs));
  };

  it('tells that 1,000 a second at a server of 957 make the queue grow by 43 a second', () => {
    const rows = queued(poissonDues(20_000, 1, 3n), 1 / 0.957);
    const found = finding(factsOf(rows), 'over-saturation')!;
    expect(found.severity).toBe('warning');
    const [, growth, low, high] = /grows by ([\d.]+) requests\/s \(99 % interval ([\d.]+) to ([\d.]+)\)/.exec(
      found.message,
    )!;
    expect(Number(low)).toBeLessThan(43);
    expect(Number(high)).toBeGreaterThan(43);
    expect(Number(growth)).toBeGreaterThan(25);
    expect(found.advice).toMatch(/^About 9\d\d\/s of the .* get answered/);
  });

  it('makes a rate INVALID that is claimed within a bound', () => {
    const rows = queued(poissonDues(4000, 1, 3n), 1.5);
    expect(finding(factsOf(rows, { load: SERVER }), 'over-saturation')!.severity).toBe('invalid');
  });

  it('is silent at 80 % and 95 % load in at least 39 of 40 draws, though queues swing there', () => {
    for (const load of [0.8, 0.95]) {
      const fired = Array.from({ length: 40 }, (_, i) =>
        rules(factsOf(queued(poissonDues(4000, load, BigInt(i + 1)), 1))),
      );
      expect(fired.filter((each) => each.includes('over-saturation')).length, String(load)).toBeLessThanOrEqual(1);
    }
  });

  it('finds 120 % in each of 40 draws of 2,000 requests', () => {
    for (let seed = 1n; seed <= 40n; seed++)
      expect(rules(factsOf(queued(poissonDues(2000, 1.2, seed), 1)))).toContain('over-saturation');
  });

  it('is silent for a passing stall, few requests, and closed loops', () => {
    const stall = steady(4000, 1, (i) => (i >= 1000 && i < 1500 ? 1500 - i : 1));
    expect(rules(factsOf(stall))).not.toContain('over-saturation');
    expect(rules(factsOf(queued(poissonDues(199, 2, 1n), 1)))).not.toContain('over-saturation');
    expect(rules(factsOf(queued(poissonDues(4000, 2, 1n), 1), { load: CLOSED }))).not.toContain('over-saturation');
  });
});

describe('cold start', () => {
  /** 1,000 requests, 2 ms in the queue, and `ms(i)` besides. */
  const served = (ms: (i: number) => number, everyMs = (i: number) => i) =>
    Array.from({ length: 1000 }, (_, i): Row => {
      const due = everyMs(i);
      return { due, completed: due + 2 + ms(i), server: [0, 2, 0, ms(i), 0, 0], execution: [i + 1, 1] };
    });

  it('warns where the first fifth took 1.6 ms besides its queue and the second half 1 ms', () => {
    const found = finding(factsOf(served((i) => (i < 250 ? 1.6 : 1))), 'cold-start')!;
    expect(found.severity).toBe('warning');
    expect(found.message).toMatch(/took 1\.60 ms besides waiting .* first fifth\) and 1\.00 ms in the second half/);
    expect(found.advice).toMatch(/warmUp: 2s/);
    expect(
      rules(
        factsOf(
          served((i) => (i < 250 ? 1.6 : 1)),
          { load: CLOSED },
        ),
      ),
    ).toEqual(['cold-start']);
  });

  it('is silent at 1.4 times, for a stall, where the queue alone is longer, and where the rate rises', () => {
    expect(rules(factsOf(served((i) => (i < 250 ? 1.4 : 1))))).toEqual([]);
    expect(rules(factsOf(served((i) => (i < 80 ? 50 : 1))))).toEqual([]);
    const queued = steady(1000, 1, (i) => (i < 250 ? 5 : 2)).map((row, i): Row => {
      const queue = i < 250 ? 4 : 1;
      return { ...row, server: [0, queue, 0, 1, 0, 0], execution: [i + 1, 1] };
    });
    expect(rules(factsOf(queued))).toEqual([]);
    const ramp = served(
      (i) => (i < 250 ? 1.6 : 1),
      (i) => Math.sqrt(i) * 100,
    );
    expect(finding(factsOf(ramp), 'cold-start')).toBeUndefined();
  });

  it('does not judge servers that tell no queue, few answers, nor virtual time', () => {
    const cold = (i: number) => (i < 250 ? 3 : 1);
    expect(rules(factsOf(steady(1000, 1, cold)))).toEqual([]);
    expect(rules(factsOf(served(cold).slice(0, 499)))).toEqual([]);
    expect(rules(factsOf(served(cold), { identity: { simulated: true } }))).toEqual([]);
  });
});

describe('input repetition', () => {
  const server = [0, 0, 0, 0, 0, 0] as const;
  const cached = (hits: number): Row[] =>
    steady(1000, 10, 1).map((row, i): Row => ({ ...row, server, execution: i < hits ? [0, 0] : [i + 1, 1] }));

  it('labels answers from a cache with the hit rate: 370 of 1,000', () => {
    const { verdict, inputs } = summarise(factsOf(cached(370), { drive: { samplesSha256: 'cd' } }));
    expect(verdict).toMatchObject({ state: 'VALID', findings: [{ rule: 'input-repetition', severity: 'warning' }] });
    expect(verdict.findings[0]!.message).toMatch(
      /^37\.0 % of the answers \(370 of 1,000\) came without an execution: 999 of 1,000 requests repeat one of 1 inputs/,
    );
    expect(inputs).toEqual({
      sha256: 'cd',
      requests: 1000,
      distinct: 1,
      repeated: 999,
      cacheHits: 370,
      cacheHitsFrom: 'records',
    });
  });

  it('says nothing of repetition that no cache profits from, nor where nobody tells', () => {
    expect(rules(factsOf(cached(0)))).toEqual([]);
    expect(summarise(factsOf(steady(100, 10, 1))).inputs).toMatchObject({ cacheHits: null, cacheHitsFrom: null });
  });

  it('asks the statistics of a server that sends no timings', () => {
    const counters = (count: number) => ({ batch_stats: [], inference_stats: { cache_hit: { count } } });
    const facts = factsOf(steady(100, 10, 1), { statistics: { before: counters(5), after: counters(55) } });
    expect(summarise(facts).inputs).toMatchObject({ cacheHits: 50, cacheHitsFrom: 'statistics' });
    expect(finding(facts, 'input-repetition')!.message).toContain('50.0 % of the answers');
  });
});

describe('stopped early', () => {
  it('fires with the reason that the load gave', () => {
    const found = finding(factsOf(steady(10, 1, 1), { drive: { stoppedEarly: 'interrupted' } }), 'stopped-early')!;
    expect(found.message).toBe('The load ended before its time after 10 requests: interrupted.');
    expect(found.advice).toContain('--resume');
  });
});

describe('error rate', () => {
  const refused = (n: number) =>
    steady(1000, 10, 1).map((row, i): Row => (i < n ? { ...row, outcome: 'rejected', error: 'queue-full' } : row));

  it('fires at 2 of 1,000 with a target of 0.1 %, not at 1', () => {
    const found = finding(factsOf(refused(2), { targets: { errorRate: 0.001 } }), 'error-rate')!;
    expect(found).toMatchObject({ severity: 'invalid' });
    expect(found.message).toBe(
      '2 of 1,000 requests did not end ok (0.200 %: queue-full 2); the target allows 0.100 %.',
    );
    expect(rules(factsOf(refused(1), { targets: { errorRate: 0.001 } }))).toEqual([]);
  });

  it('warns without a target: an overload may be refused', () => {
    const { verdict } = summarise(factsOf(refused(300)));
    expect(verdict).toMatchObject({ state: 'VALID', findings: [{ rule: 'error-rate', severity: 'warning' }] });
  });

  it('of an instance that died advises to look for a crash, not for a longer queue', () => {
    const rows = refused(1).map((row): Row => (row.error ? { ...row, error: 'worker-died' } : row));
    expect(finding(factsOf(rows), 'error-rate')!.advice).toContain('An instance died');
    expect(finding(factsOf(refused(1)), 'error-rate')!.advice).toContain('queue size');
  });

  it('is INVALID where nothing was answered, target or not', () => {
    expect(summarise(factsOf(refused(1000))).verdict.state).toBe('INVALID');
  });
});

describe('minimum duration', () => {
  it('of a schedule counts to its last due time and the gap behind it: 1,000 requests every 10 ms are 10 s', () => {
    expect(rules(factsOf(steady(1000, 10, 1), { load: { minDurationNs: 10e9 } }))).toEqual([]);
    const found = finding(factsOf(steady(990, 10, 1), { load: { minDurationNs: 10e9 } }), 'min-duration')!;
    expect(found.message).toContain('It lasted 9.90 s; at least 10.0 s are needed');
  });

  it('of a closed loop counts to the last completion: 100 answers of 10 ms one after the other are 1 s', () => {
    const rows = steady(100, 10, 10);
    expect(rules(factsOf(rows, { load: { ...CLOSED, minDurationNs: 1e9 } }))).toEqual([]);
    expect(rules(factsOf(rows, { load: { ...CLOSED, minDurationNs: 1.1e9 } }))).toEqual(['min-duration']);
  });

  it('of offline is the longest latency, and the advice is more samples', () => {
    const rows = Array.from({ length: 100 }, (_, i): Row => ({ due: 0, issued: i, completed: 20 * (i + 1) }));
    expect(rules(factsOf(rows, { load: { ...OFFLINE, minDurationNs: 2e9 } }))).toEqual([]);
    const found = finding(factsOf(rows, { load: { ...OFFLINE, minDurationNs: 9e9 } }), 'min-duration')!;
    expect(found.advice).toContain('5 times as many samples');
  });
});

describe('minimum queries', () => {
  it('fires at 99 of 100, not at 100', () => {
    expect(rules(factsOf(steady(99, 10, 1), { load: { minQueries: 100 } }))).toEqual(['min-queries']);
    expect(rules(factsOf(steady(100, 10, 1), { load: { minQueries: 100 } }))).toEqual([]);
  });

  it('counts queries, not samples, in multi-stream', () => {
    const rows = steady(16, 10, 1).map((row, i) => ({ ...row, query: Math.floor(i / 8) }));
    expect(rules(factsOf(rows, { load: { ...CLOSED, perQuery: true, minQueries: 2 } }))).toEqual([]);
    expect(rules(factsOf(rows, { load: { ...CLOSED, perQuery: true, minQueries: 3 } }))).toEqual(['min-queries']);
  });
});

describe('sample size', () => {
  const targets = { p99LatencyNs: 1e9 };

  it('fires where a p99 is asked of 661 answers, not of 662', () => {
    const found = finding(factsOf(steady(661, 10, 1), { targets }), 'sample-size')!;
    expect(found.message).toBe('661 answered requests are too few for a p99 (needs 662).');
    expect(found.advice).toContain('at least 8s');
    expect(rules(factsOf(steady(662, 10, 1), { targets }))).toEqual([]);
  });

  it('asks nothing where no percentile is asked, of a probe, or of offline', () => {
    expect(rules(factsOf(steady(10, 10, 1)))).toEqual([]);
    expect(rules(factsOf(steady(10, 10, 1), { targets, identity: { loadType: 'probe' } }))).toEqual([]);
    expect(rules(factsOf(steady(10, 10, 1), { targets, load: OFFLINE }))).toEqual([]);
  });
});

describe('early stopping', () => {
  it('fires in single-stream at 63 queries, not at 64', () => {
    const load = { ...CLOSED, primary: { metric: 'p90Latency', percentile: 0.9 } } as const;
    expect(rules(factsOf(steady(63, 10, 1), { load }))).toEqual(['early-stopping']);
    expect(rules(factsOf(steady(64, 10, 1), { load }))).toEqual([]);
  });

  it('asks a server with 5 of 1,300 over its bound for 7 more, and is content with 1,307', () => {
    const slow = (i: number) => (i < 5 ? 20 : 1);
    const found = finding(factsOf(steady(1300, 10, slow), { load: SERVER }), 'early-stopping')!;
    expect(found.message).toContain('5 of 1,300 queries took longer than 10.0 ms: with so many, 1,307 are needed');
    expect(found.advice).toBe('Run longer: 7 more queries within the bound would do (about 70.0 ms at this rate).');
    expect(rules(factsOf(steady(1307, 10, slow), { load: SERVER }))).toEqual([]);
  });
});

describe('the performance constraint', () => {
  it('fires where more than 1 % of the queries break the bound', () => {
    const found = finding(
      factsOf(
        steady(1000, 10, (i) => (i < 20 ? 30 : 1)),
        { load: SERVER },
      ),
      'performance-constraint',
    )!;
    expect(found.message).toBe(
      '20 of 1,000 queries (2.00 %) took longer than 10.0 ms; at most 1.00 % may, p99 30.0 ms.',
    );
  });

  it('counts a request without an answer as over the bound', () => {
    const rows = steady(1000, 10, 1).map((row, i): Row => (i < 20 ? { ...row, outcome: 'timedOut' } : row));
    expect(rules(factsOf(rows, { load: SERVER }))).toContain('performance-constraint');
  });

  it('is silent for loads without a bound', () => {
    expect(rules(factsOf(steady(1000, 10, 500)))).toEqual([]);
  });
});

describe('the clock', () => {
  it('warns above 0.1 %, fails above 1 %, and does not exist in virtual time', () => {
    const at = (clockDrift: number, simulated = false) =>
      summarise(factsOf(steady(10, 10, 1), { drive: { clockDrift }, identity: { simulated } })).verdict;
    expect(at(0.0009)).toEqual({ state: 'VALID', findings: [] });
    expect(at(-0.005)).toMatchObject({ state: 'VALID', findings: [{ rule: 'clock', severity: 'warning' }] });
    expect(at(0.02)).toMatchObject({ state: 'INVALID', findings: [{ rule: 'clock', severity: 'invalid' }] });
    expect(at(0.02, true).state).toBe('VALID');
  });
});

describe('targets', () => {
  it('missed leave a trial VALID: an answer, not a fault', () => {
    const { verdict } = summarise(factsOf(steady(1000, 10, 30), { targets: { p99LatencyNs: 20e6 } }));
    expect(verdict.state).toBe('VALID');
    expect(verdict.findings).toMatchObject([{ rule: 'target-latency', severity: 'missed' }]);
    expect(verdict.findings[0]!.message).toBe('p99 latency 30.0 ms exceeds the target of 20.0 ms by 50.0 %.');
  });

  it('met say nothing, and offline has no latency target', () => {
    expect(rules(factsOf(steady(1000, 10, 20), { targets: { p99LatencyNs: 20e6 } }))).toEqual([]);
    expect(rules(factsOf(steady(1000, 10, 30), { targets: { p99LatencyNs: 20e6 }, load: OFFLINE }))).toEqual([]);
  });

  it('of accuracy are judged by the answers of the same trial', () => {
    const rows = steady(100, 10, 1).map((row, i) => ({ ...row, correct: i < 87 }));
    const found = finding(factsOf(rows, { targets: { accuracy: 0.88 } }), 'target-accuracy')!;
    expect(found.message).toMatch(/^top-1 87\.0 % .* is below the target of 88\.0 %\.$/);
    expect(rules(factsOf(rows, { targets: { accuracy: 0.87 } }))).toEqual([]);
  });
});

describe('roofline', () => {
  const limit = (perSecond: number) => ({ roofline: { perSecond, requestBytes: 16, processes: 1 } });

  it('refuses 1,000/s where one load process can do 1,400/s: 980/s are allowed', () => {
    const found = finding(factsOf(steady(1001, 1, 1), limit(1400)), 'roofline')!;
    expect(found.severity).toBe('invalid');
    expect(found.message).toBe(
      'The load offers 1,000/s, 71.4 % of the 1,400/s that one load process can do over rest on this host; 70.0 % (980/s) are allowed.',
    );
    expect(found.advice).toMatch(/^Lower the rate, add load processes .* calibrate again/);
  });

  it('lets the same load pass where it can do 1,500/s: 1,050/s are allowed', () => {
    expect(rules(factsOf(steady(1001, 1, 1), limit(1500)))).toEqual([]);
  });

  it('holds a closed loop’s answers against the limit: 1,000 answered in 1 s of 1,400/s', () => {
    const loop = { load: CLOSED, drive: { durationNs: 1e9 } };
    const found = finding(factsOf(steady(1000, 1, 1), { ...loop, ...limit(1400) }), 'roofline')!;
    expect(found.message).toMatch(/^The loop reached 1,000\/s, 71\.4 %/);
    expect(found.advice).toMatch(/^Add load processes/);
    expect(finding(factsOf(steady(1000, 1, 1), { ...loop, ...limit(1500) }), 'roofline')).toBeUndefined();
  });

  it('warns of a capacity probe only, and says nothing where nobody calibrated', () => {
    const probe = { load: CLOSED, drive: { durationNs: 1e9 }, identity: { loadType: 'probe' } };
    expect(finding(factsOf(steady(1000, 1, 1), { ...probe, ...limit(1000) }), 'roofline')!.severity).toBe('warning');
    const unknown = factsOf(steady(1001, 1, 1), { roofline: { perSecond: null, reason: 'not calibrated' } });
    expect(rules(unknown)).toEqual([]);
    expect(summarise(unknown).roofline).toEqual({ perSecond: null, reason: 'not calibrated' });
    expect(summarise(factsOf(steady(1001, 1, 1), limit(2000))).roofline).toEqual({
      perSecond: 2000,
      usedPerSecond: 1000,
      processes: 1,
    });
  });
});

describe('sample ratio', () => {
  const split = (primary: number, other: number, users: readonly [number | null, number | null] = [null, null]) => {
    const pool = (name: string, requests: number, own: number | null) => ({ name, requests, users: own, replicas: [] });
    const counts = (a: number, b: number) => ({
      ...{ atNs: 0, requests: a + b, retries: 0, refused: 0, held: 0, mirror: null },
      pools: [pool('primary', a, users[0]), pool('other', b, users[1])],
      route: { name: 'ab', basisPoints: { primary: 5000, other: 5000 }, fixed: true, changes: [] },
    });
    return factsOf(steady(1000, 10, 5), {
      gateway: {
        ...{ algorithm: 'round-robin', level: 'request' as const, program: 'servemark', autoscaler: null },
        ...{ replicaSeconds: 20, replicas: { first: 2, most: 2, last: 2 } },
        counts: { before: counts(0, 0), after: counts(primary, other) },
      },
    });
  };

  it('fires at 560 to 440: chi-square 60²/500 · 2 = 14.4, p = 1.5e-4', () => {
    const found = finding(split(560, 440), 'sample-ratio')!;
    expect(found.severity).toBe('invalid');
    expect(found.message).toBe(
      'The arms have not got their shares: primary 560 instead of 500, other 440 instead of 500 requests (chi-square 14.4, p = 1.5e-4).',
    );
  });

  it('lets 540 to 460 be chance: p = 0.011', () => {
    expect(rules(split(540, 460))).toEqual([]);
  });

  it('counts users where there are some: 50 and 50 of them may ask as often as they like', () => {
    expect(rules(split(900, 100, [50, 50]))).toEqual([]);
  });
});
