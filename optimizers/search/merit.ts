import type { Evaluation } from './contract.js';

/** Sum of what is broken; 0 where all constraints are kept, Infinity where nothing was measured. */
export function violation(evaluation: Evaluation): number {
  if (evaluation.state === 'failed') return Number.POSITIVE_INFINITY;
  return evaluation.excess.reduce((sum, excess) => sum + Math.max(0, excess), 0);
}

/**
 * Is `a` better than `b`, by the first objective? What keeps its constraints beats what does not; of two that break them the
 * one that breaks them less is better. Source: Deb, An efficient constraint handling method for genetic algorithms (2000).
 */
export function isBetter(a: Evaluation, b: Evaluation): boolean {
  const broken = violation(a) - violation(b);
  if (a.state === 'failed') return false;
  if (b.state === 'failed') return true;
  if (violation(a) > 0 || violation(b) > 0) return broken < 0;
  return a.objectives[0]! > b.objectives[0]!;
}

/**
 * One number for searches that need a slope: the first objective; a quarter of it where a constraint is broken, and that
 * divided by e for every whole time that a bound is exceeded (five at most: beyond, bad is bad). 0 where nothing was
 * measured. Objectives are expected to be positive (rates); others are cut at 0.
 */
export function slopedMerit(evaluation: Evaluation): number {
  if (evaluation.state === 'failed') return 0;
  const broken = violation(evaluation);
  const share = broken > 0 ? BROKEN * Math.exp(-Math.min(5, broken)) : 1;
  return Math.max(0, evaluation.objectives[0]!) * share;
}

const BROKEN = 0.25;
