import { z } from 'zod';
import { positive } from '../strategies/support/options.js';
import { type Controller, defineController } from './contract.js';
import { answering, operations } from './support/steps.js';

const options = z
  .strictObject({
    algorithm: z.enum(['exp3', 'exp4', 'epsilon-greedy', 'ucb1']).default('exp3'),
    /** Models to choose from; as many as `weights` where those are given, else 2. */
    arms: positive().optional(),
    eta: z.number().nonnegative().default(0.01),
    /** Initial weights, all 1. */
    weights: z.array(z.number().positive()).min(1).optional(),
    minWeight: z.number().positive().default(1e-12),
    /** epsilon-greedy: share of the choices that are made evenly among all. */
    epsilon: z.number().min(0).max(1).default(0.1),
    /** epsilon-greedy, ucb1: what a loss counts after the next one, 1 = the same for ever. */
    discount: z.number().positive().max(1).default(1),
    minConfidence: z.number().default(0),
    defaultOutput: z.number().default(0),
    /** Combined predictions lose their fraction, as in the release. */
    truncate: z.boolean().default(false),
  })
  .refine(({ arms, weights }) => arms === undefined || weights === undefined || arms === weights.length, {
    path: ['weights'],
    error: 'must have one weight an arm',
  });
type Options = z.output<typeof options>;

const predictions = z.array(z.number().nullable());

/**
 * Chooses among models by what they got wrong: exp3 asks one and learns of that one, exp4 asks all and weighs their answers.
 * Source: Clipper's first release (no uniform exploration); the least weight is ours.
 */
export const clipperSelect = defineController({
  name: 'clipper-select',
  summary: 'Bandit over models: Exp3, epsilon-greedy and UCB1 pick one, Exp4 combines all; they learn from losses',
  source: 'Clipper selection policies',
  options,
  create: (given) => controllerOf(given.algorithm.startsWith('exp') ? new Bandit(given) : new MeanBandit(given)),
});

/** What both kinds of bandit do; only exp4 learns of several arms at once. */
type Chooser = Pick<Bandit, 'algorithm' | 'arms' | 'select' | 'learn' | 'combine'>;

function controllerOf(bandit: Chooser): Controller {
  const { arms } = bandit;
  const arm = z
    .number()
    .int()
    .min(0)
    .max(arms - 1);
  const each = predictions.length(arms);
  const learnOne = answering('clipper-select.feedback', z.object({ arm, loss: z.number() }), (step) =>
    bandit.learn([[step.arm, step.loss]]),
  );
  const learnAll = answering('clipper-select.feedback', z.object({ predictions: each, truth: z.number() }), (step) =>
    bandit.learn(losses(step.predictions, step.truth)),
  );
  return operations('clipper-select', {
    select: answering('clipper-select.select', z.object({ draw: z.number() }), (step) => bandit.select(step.draw)),
    feedback: bandit.algorithm === 'exp4' ? learnAll : learnOne,
    combine: answering('clipper-select.combine', z.object({ predictions: each }), (step) =>
      bandit.combine(step.predictions),
    ),
  });
}

class Bandit {
  readonly algorithm: Options['algorithm'];
  readonly arms: number;
  #weights: number[];

  constructor(readonly options: Options) {
    this.algorithm = options.algorithm;
    this.#weights = options.weights?.slice() ?? new Array<number>(options.arms ?? 2).fill(1);
    this.arms = this.#weights.length;
  }

  select(draw: number): { arm: number; probability: number } {
    const p = this.#probabilities();
    let arm = 0;
    let sum = p[0]!;
    while (draw >= sum && arm < p.length - 1) sum += p[++arm]!;
    return { arm, probability: p[arm]! };
  }

  /** Importance weighting: a loss counts the more, the less likely the arm was. All use the probabilities of before. */
  learn(losses: readonly (readonly [arm: number, loss: number])[]): { weights: number[]; probabilities: number[] } {
    const p = this.#probabilities();
    const { eta, minWeight } = this.options;
    for (const [arm, loss] of losses)
      this.#weights[arm] = Math.max(minWeight, this.#weights[arm]! * Math.exp((-eta * loss) / p[arm]!));
    return { weights: this.#weights.slice(), probabilities: this.#probabilities() };
  }

  /** null = that prediction did not arrive in time. */
  combine(given: readonly (number | null)[]): { prediction: number; confidence: number; default: boolean } {
    const { defaultOutput, minConfidence, truncate } = this.options;
    const arrived = given.filter((value) => value !== null);
    if (arrived.length === 0) return { prediction: defaultOutput, confidence: 0, default: true };
    const mean = arrived.reduce((sum, value) => sum + value, 0) / arrived.length;
    const weighted = this.#probabilities().reduce((sum, p, arm) => sum + p * (given[arm] ?? mean), 0);
    const prediction = truncate ? Math.trunc(weighted) : weighted;
    const agreeing = arrived.filter((value) => nearest(value) === nearest(prediction));
    const confidence = agreeing.length / this.arms;
    return confidence < minConfidence
      ? { prediction: defaultOutput, confidence, default: true }
      : { prediction, confidence, default: false };
  }

  #probabilities(): number[] {
    const sum = this.#weights.reduce((total, weight) => total + weight, 0);
    return this.#weights.map((weight) => weight / sum);
  }
}

/**
 * Chooses by mean losses: epsilon-greedy takes the least but for a share of even choices, ucb1 the one whose mean reward plus
 * sqrt(2 ln n / nᵢ) is largest; what was never chosen comes first, the lowest of equals. `weights` are mean rewards. Both are
 * ours beside Clipper's. Source: Auer, Cesa-Bianchi, Fischer 2002; the discount is Garivier and Moulines 2011.
 */
class MeanBandit implements Chooser {
  readonly algorithm: Options['algorithm'];
  readonly arms: number;
  readonly combine: Bandit['combine'];
  readonly #counts: number[];
  readonly #rewards: number[];

  constructor(readonly options: Options) {
    const like = new Bandit(options);
    this.algorithm = options.algorithm;
    this.arms = like.arms;
    this.combine = (given) => like.combine(given);
    this.#counts = new Array<number>(this.arms).fill(0);
    this.#rewards = this.#counts.slice();
  }

  /** One draw decides both whether it is an even choice and which. */
  select(draw: number): { arm: number; probability: number } {
    const p = this.#probabilities();
    const { epsilon } = this.options;
    const even = this.algorithm === 'epsilon-greedy' && draw < epsilon;
    const arm = even ? Math.min(this.arms - 1, Math.floor((draw / epsilon) * this.arms)) : this.#best();
    return { arm, probability: p[arm]! };
  }

  learn(losses: readonly (readonly [arm: number, loss: number])[]): { weights: number[]; probabilities: number[] } {
    const { discount } = this.options;
    for (const [arm, loss] of losses) {
      for (let i = 0; i < this.arms; i++) {
        this.#counts[i]! *= discount;
        this.#rewards[i]! *= discount;
      }
      this.#counts[arm]! += 1;
      this.#rewards[arm]! += 1 - loss;
    }
    return { weights: this.#counts.map((_, arm) => this.#mean(arm)), probabilities: this.#probabilities() };
  }

  #mean(arm: number): number {
    return this.#counts[arm] === 0 ? 0 : this.#rewards[arm]! / this.#counts[arm]!;
  }

  #best(): number {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    const scores = this.#counts.map((count, arm) => {
      if (count === 0) return Number.POSITIVE_INFINITY;
      const bonus = this.algorithm === 'ucb1' ? Math.sqrt((2 * Math.log(Math.max(1, total))) / count) : 0;
      return this.#mean(arm) + bonus;
    });
    return scores.indexOf(Math.max(...scores));
  }

  #probabilities(): number[] {
    const best = this.#best();
    const even = this.algorithm === 'epsilon-greedy' ? this.options.epsilon / this.arms : 0;
    return this.#counts.map((_, arm) => even + (arm === best ? 1 - even * this.arms : 0));
  }
}

function losses(given: readonly (number | null)[], truth: number): [arm: number, loss: number][] {
  return given.flatMap((value, arm) =>
    value === null ? [] : [[arm, Math.min(1, Math.abs(truth - value))] satisfies [number, number]],
  );
}

function nearest(value: number): number {
  return Math.floor(value + 0.5);
}
