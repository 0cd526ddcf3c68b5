import { describe, expect, it } from 'vitest';
import { canonicalDouble, FastRandom } from '../../results/stats/random.js';
import { shareTest } from '../../results/stats/sequential.js';
import { findPeak, type PeakProbe, TAIL } from '../../scenarios/peak.js';

/** A queue of one server, 1 ms a request, Poisson arrivals: waits by Lindley's recursion. Bound 10 ms. */
const SERVICE_MS = 1;
const BOUND_MS = 10;
/** Requests in a block of 250 ms. */
const BLOCK_MS = 250;

function* latencies(rate: number, seed: bigint): Generator<readonly [at: number, latency: number]> {
  const random = new FastRandom(seed);
  let now = 0;
  let wait = 0;
  for (;;) {
    yield [now, wait + SERVICE_MS];
    const gap = (-Math.log(1 - canonicalDouble(random)) / rate) * 1000;
    now += gap;
    wait = Math.max(0, wait + SERVICE_MS - gap);
  }
}

/** One probe of up to `seconds`, ended as soon as the test decides. */
function probe(rate: number, seed: bigint, seconds: number, test = shareTest(TAIL, 0.05)): PeakProbe {
  let block = { trials: 0, hits: 0, sum: 0, squares: 0 };
  let ends = BLOCK_MS;
  for (const [at, latency] of latencies(rate, seed)) {
    while (at > ends) {
      test.add(block);
      block = { trials: 0, hits: 0, sum: 0, squares: 0 };
      ends += BLOCK_MS;
    }
    const { decided } = test.evidence;
    if (decided === 'above' || (decided === 'below' && at > (seconds * 1000) / 4) || at > seconds * 1000) break;
    block.trials++;
    if (latency > BOUND_MS) block.hits++;
    block.sum += latency;
    block.squares += latency * latency;
  }
  const { evidence } = test;
  const outcome = evidence.decided === null ? 'undecided' : evidence.decided === 'below' ? 'pass' : 'fail';
  return { rate, outcome, reason: '', evidence, seconds: ends / 1000, generatorLimited: false };
}

/** The share over the bound of two million requests. */
function share(rate: number): number {
  let n = 0;
  let over = 0;
  for (const [, latency] of latencies(rate, 99n)) {
    if (n++ === 2_000_000) break;
    if (latency > BOUND_MS) over++;
  }
  return over / n;
}

/** Where the share is 1 %, by plain bisection on the long run. */
const TRUTH = (() => {
  let low = 500;
  let high = 999;
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    if (share(middle) > TAIL) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
})();

const SETTINGS = { low: 30, high: 2000, level: 0.9, precision: 0.04, maxProbes: 30 };

describe('the peak of a simulated queue', () => {
  it('lies where M/D/1 puts it: 1 % of 10 ms at about 80 % load', () => {
    expect(TRUTH).toBeGreaterThan(760);
    expect(TRUTH).toBeLessThan(860);
  });

  it('is in the 90 % interval in at least 54 of 60 searches', async () => {
    let covered = 0;
    let probes = 0;
    let seconds = 0;
    let width = 0;
    for (let run = 1n; run <= 60n; run++) {
      const peak = await findPeak(SETTINGS, async (rate, number, test) =>
        probe(rate, run * 1000n + BigInt(number), 20, test),
      );
      if (peak.low <= TRUTH && TRUTH <= peak.high) covered++;
      probes += peak.probes.length;
      seconds += peak.probes.reduce((sum, each) => sum + each.seconds, 0);
      width += peak.high / peak.low - 1;
    }
    expect(covered).toBeGreaterThanOrEqual(54);
    expect(width / 60).toBeLessThan(0.12);
    // Probes of 20 s each would take so many times as long without early decisions.
    expect(seconds / probes).toBeLessThan(18);
  });

  it('is out of the question at half and at 1.3 of it within a quarter and an eighth of the time, rightly in 100 of 100', () => {
    for (let seed = 1n; seed <= 100n; seed++) {
      expect(probe(0.5 * TRUTH, seed, 20)).toMatchObject({ outcome: 'pass' });
      expect(probe(1.3 * TRUTH, seed, 20)).toMatchObject({ outcome: 'fail' });
    }
    expect(probe(0.5 * TRUTH, 7n, 20).seconds).toBeLessThanOrEqual(6);
    expect(probe(1.3 * TRUTH, 7n, 20).seconds).toBeLessThanOrEqual(2.5);
  });

  it('at the peak itself is called passed or failed wrongly in at most 5 of 100 of 300 probes each', () => {
    const outcomes = Array.from({ length: 300 }, (_, i) => probe(TRUTH, BigInt(i + 1), 20).outcome);
    expect(outcomes.filter((each) => each === 'pass').length).toBeLessThanOrEqual(15);
    expect(outcomes.filter((each) => each === 'fail').length).toBeLessThanOrEqual(15);
  });

  it('says so where the range ends before the peak, and where it was interrupted', async () => {
    const below = await findPeak({ ...SETTINGS, high: 300 }, async (rate, n, test) => probe(rate, BigInt(n), 20, test));
    expect(below.caveat).toContain('it may be higher');
    const stopped = await findPeak(SETTINGS, async (rate, n) => (n > 2 ? null : probe(rate, BigInt(n), 20)));
    expect(stopped).toMatchObject({ ended: 'interrupted', probes: [{}, {}] });
  });
});
