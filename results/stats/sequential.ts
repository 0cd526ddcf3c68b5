import { incompleteBeta, logBeta } from './beta.js';

/** Neighbouring trials: requests that completed within a quarter of a second, say. */
export interface ShareBlock {
  readonly trials: number;
  /** Of them over the bound. */
  readonly hits: number;
  /** Σ and Σ² of what is compared with the bound, in any unit: they tell how alike neighbours are. */
  readonly sum: number;
  readonly squares: number;
}

/** Evidence about a share after some blocks. */
export interface ShareEvidence {
  readonly trials: number;
  readonly hits: number;
  /** How many neighbours count as one independent trial; at least 1. */
  readonly designEffect: number;
  /** `below`: the share is under the limit; `above`: over it. Each is wrong with probability at most alpha, whenever one looks. */
  readonly decided: 'below' | 'above' | null;
}

export interface ShareTest {
  add(block: ShareBlock): ShareEvidence;
  readonly evidence: ShareEvidence;
}

/**
 * Is a share (of latencies over a bound) below a limit? May be asked after every block, as often as one likes: of a true
 * share at or above the limit `below` is ever said with probability at most alpha, and the other way round. It is the
 * mixture likelihood ratio, whose running maximum exceeds 1/alpha with probability at most alpha (Ville's inequality), with
 * a beta prior cut at the limit. Sources: Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform,
 * nonparametric, nonasymptotic confidence sequences".
 *
 * That holds for independent trials. Behind a queue neighbours are alike, so both counts are divided by the design effect:
 * how much more the blocks differ than blocks of independent trials would, in their means (which also tells it while
 * nothing is over the bound) and in their hits (Kish 1965). Simulated queues check the error rate.
 */
export function shareTest(limit: number, alpha: number): ShareTest {
  const blocks: ShareBlock[] = [];
  let evidence: ShareEvidence = { trials: 0, hits: 0, designEffect: 1, decided: null };
  return {
    get evidence() {
      return evidence;
    },
    add(block) {
      if (block.trials > 0) blocks.push(block);
      const all = joined(blocks);
      const effect = designEffect(blocks);
      const { below, above } = shareEvidence(limit, all.trials / effect, all.hits / effect);
      const enough = -Math.log(alpha);
      const known = blocks.length >= LEAST_BLOCKS;
      const decided = !known ? null : below >= enough ? 'below' : above >= enough ? 'above' : null;
      evidence = { trials: all.trials, hits: all.hits, designEffect: effect, decided };
      return evidence;
    },
  };
}

/** With fewer blocks their likeness can't be judged. */
const LEAST_BLOCKS = 8;

/**
 * Logarithms of the e-values for "the share is below `limit`" and "… above it". Counts need not be whole. The prior is
 * Beta(½, (1 − limit)/(2 limit)): as informed as half a hit at the limit itself.
 */
export function shareEvidence(limit: number, n: number, k: number): { readonly below: number; readonly above: number } {
  const a = 0.5;
  const b = (a * (1 - limit)) / limit;
  const atLimit = k * Math.log(limit) + (n - k) * Math.log1p(-limit);
  const whole = logBeta(a + k, b + n - k) - logBeta(a, b) - atLimit;
  const share = incompleteBeta(limit, a + k, b + n - k);
  const prior = incompleteBeta(limit, a, b);
  return { below: whole + Math.log(share / prior), above: whole + Math.log((1 - share) / (1 - prior)) };
}

/** The largest over blocks as they are, joined in pairs, in fours …, as long as eight are left: likeness may reach far. */
function designEffect(blocks: readonly ShareBlock[]): number {
  let most = 1;
  for (let each = blocks; each.length >= LEAST_BLOCKS; each = pairs(each)) {
    const all = joined(each);
    const spread = all.squares / all.trials - (all.sum / all.trials) ** 2;
    const share = all.hits / all.trials;
    const ofMeans = between(each, ({ sum }) => sum, all.sum / all.trials) / spread;
    const ofHits = between(each, ({ hits }) => hits, share) / (share * (1 - share));
    most = Math.max(most, ofMeans || 0, ofHits || 0);
  }
  return most;
}

/** The variance between blocks, scaled so that it is the variance of one trial where trials are independent. */
function between(blocks: readonly ShareBlock[], total: (block: ShareBlock) => number, mean: number): number {
  let sum = 0;
  for (const block of blocks) sum += (total(block) - block.trials * mean) ** 2 / block.trials;
  return sum / (blocks.length - 1);
}

function pairs(blocks: readonly ShareBlock[]): ShareBlock[] {
  return Array.from({ length: Math.floor(blocks.length / 2) }, (_, i) => joined(blocks.slice(2 * i, 2 * i + 2)));
}

function joined(blocks: readonly ShareBlock[]): ShareBlock {
  let [trials, hits, sum, squares] = [0, 0, 0, 0];
  for (const block of blocks) {
    trials += block.trials;
    hits += block.hits;
    sum += block.sum;
    squares += block.squares;
  }
  return { trials, hits, sum, squares };
}
