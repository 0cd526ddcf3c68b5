import type { Iteration, LlmRequest, LlmScheduler, Sequence, Yield } from '../contract.js';
import { isComplete, type SequencePool } from './pool.js';

/** What a scheduler decides; the rest is the same for all. */
export interface Rules {
  /** Why a request is refused, if it is. */
  refuse(request: LlmRequest): string | undefined;
  /** Admits, grows, preempts, and says what to compute. */
  plan(): Partial<Omit<Iteration, 'freeBlocks'>>;
  /** Sequences end when all that run are complete, not each for itself. */
  readonly endTogether?: boolean;
}

/** A scheduler that follows the rules over the pool. */
export function schedulerOf(pool: SequencePool, rules: Rules): LlmScheduler {
  return {
    offer(request) {
      const reason = rules.refuse(request);
      if (reason === undefined) pool.enqueue(request);
      return reason;
    },
    plan() {
      const { prefill = [], decode = [], preempted = [] } = rules.plan();
      if (prefill.length === 0 && decode.length === 0) return undefined;
      return { prefill, decode, preempted, freeBlocks: pool.freeBlocks };
    },
    finished: (iteration) => settle(pool, iteration, rules.endTogether ?? false),
    freeBlocks: () => pool.freeBlocks,
  };
}

/** Everything admissible, each with its whole prompt. */
export function admitWhole(pool: SequencePool): [sequence: Sequence, tokens: number][] {
  const prefill: [Sequence, number][] = [];
  for (let next = pool.candidate(); next !== undefined; next = pool.candidate()) {
    pool.admit(next);
    prefill.push([next, next.toPrefill]);
  }
  return prefill;
}

function settle(pool: SequencePool, { prefill, decode }: Iteration, endTogether: boolean): Yield {
  const started = prefill.filter(([sequence, tokens]) => pool.prefilled(sequence, tokens));
  const tokens = [...started.map(([sequence]) => sequence), ...decode.filter((sequence) => pool.decoded(sequence))];
  const complete = pool.running.filter(isComplete);
  const ended = endTogether && complete.length < pool.running.length ? [] : complete;
  for (const sequence of ended) pool.end(sequence);
  return { tokens, ended };
}
