import { z } from 'zod';
import { positive } from '../strategies/support/options.js';
import { type Controller, defineController } from './contract.js';
import { answering, operations } from './support/steps.js';

const options = z
  .strictObject({
    algorithm: z.enum(['exp3', 'exp4']).default('exp3'),
    /** Models to choose from; as many as `weights` where those are given, else 2. */
    arms: positive().optional(),
    eta: z.number().positive().default(0.01),
    /** Initial weights, all 1. */
    weights: z.array(z.number().positive()).min(1).optional(),
    minWeight: z.number().positive().default(1e-12),
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
  summary: 'Bandit over models: Exp3 picks one, Exp4 combines all, weights follow the losses',
  source: 'Clipper selection policies',
  options,
  create: (given) => controllerOf(new Bandit(given)),
});

function controllerOf(bandit: Bandit): Controller {
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
    feedback: bandit.algorithm === 'exp3' ? learnOne : learnAll,
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

function losses(given: readonly (number | null)[], truth: number): [arm: number, loss: number][] {
  return given.flatMap((value, arm) =>
    value === null ? [] : [[arm, Math.min(1, Math.abs(truth - value))] satisfies [number, number]],
  );
}

function nearest(value: number): number {
  return Math.floor(value + 0.5);
}
