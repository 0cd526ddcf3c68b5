import { z } from 'zod';
import { costOf, costTable } from '../executors/cost.js';
import { count, positive } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { type PipelineForm, pipelineSchedule } from './support/pipeline.js';
import { answering, operations } from './support/steps.js';

const pipeline = z.object({
  rows: positive(),
  /** One cost table a stage. */
  stages: z.array(costTable).min(1),
  transferNs: count().default(0),
});

const pp = pipeline.extend({ microBatches: positive() }).refine(({ rows, microBatches }) => microBatches <= rows, {
  path: ['microBatches'],
  error: 'must not exceed rows',
});

const hybrid = z
  .object({
    prompt: pipeline,
    generate: pipeline,
    tokens: count(),
    promptMicroBatches: positive(),
    generateMicroBatches: positive(),
  })
  .refine(({ prompt, promptMicroBatches }) => promptMicroBatches <= prompt.rows, {
    path: ['promptMicroBatches'],
    error: 'must not exceed rows',
  })
  .refine(({ generate, generateMicroBatches }) => generateMicroBatches <= generate.rows, {
    path: ['generateMicroBatches'],
    error: 'must not exceed rows',
  });

const tp = z.object({
  tp: positive(),
  rows: positive(),
  tokens: positive(),
  hidden: positive(),
  layers: positive(),
  /** Cost of one layer on one device. */
  layer: costTable,
  latencyNs: count(),
  nsPerKiloFloat: z.number().nonnegative(),
});

const speculative = z.object({ alpha: z.number().min(0).max(1), gamma: count(), c: z.number().nonnegative() });

/** What schedules cost on paper: pipelines of micro-batches, split layers, guessed tokens. Keeps no state. */
export const scheduleArithmetic = defineController({
  name: 'schedule-arithmetic',
  summary: 'Closed forms: pipeline and tensor parallelism, hybrid micro-batches, speculative decoding',
  source: 'GPipe, DeepSpeed-Inference, Megatron-LM, speculative decoding (2023)',
  options: z.strictObject({}),
  create: () =>
    operations('schedule-arithmetic', {
      pp: answering('schedule-arithmetic.pp', pp, (step) => pipelined(step, step.microBatches)),
      hybrid: answering('schedule-arithmetic.hybrid', hybrid, hybridPipeline),
      tp: answering('schedule-arithmetic.tp', tp, tensorParallel),
      speculative: answering('schedule-arithmetic.speculative', speculative, speculativeDecoding),
    }),
});

/** With one worker a stage, as the specification has it. */
function pipelined(form: PipelineForm, microBatches: number) {
  const { microRows, makespanNs, busyNs, efficiency } = pipelineSchedule(form, microBatches);
  return { microRows, makespanNs, busyNs, efficiency };
}

/** One pass over the prompt, then one a token, each cut into its own number of micro-batches. */
function hybridPipeline(step: z.output<typeof hybrid>) {
  const promptNs = pipelined(step.prompt, step.promptMicroBatches).makespanNs;
  const generateNs = pipelined(step.generate, step.generateMicroBatches).makespanNs;
  return { promptNs, generateNs, totalNs: promptNs + step.tokens * generateNs };
}

/** Every layer is computed in tp parts and reduced twice. */
function tensorParallel(step: z.output<typeof tp>) {
  const floats = step.rows * step.tokens * step.hidden;
  const alone = costOf(step.layer, step.rows);
  const reduceNs = step.tp === 1 ? 0 : step.latencyNs + Math.ceil((floats * step.nsPerKiloFloat) / 1000);
  const layerNs = Math.ceil(alone / step.tp) + 2 * reduceNs;
  return {
    floatsPerLayer: step.tp === 1 ? 0 : 2 * floats,
    layerNs,
    totalNs: step.layers * layerNs,
    speedup: alone / layerNs,
  };
}

/** gamma guesses, each kept with probability alpha while those before it were; a guess costs c of a verification. */
function speculativeDecoding({ alpha, gamma, c }: z.output<typeof speculative>) {
  const tokensPerVerify = alpha === 1 ? gamma + 1 : (1 - alpha ** (gamma + 1)) / (1 - alpha);
  return { tokensPerVerify, speedup: tokensPerVerify / (gamma * c + 1) };
}
