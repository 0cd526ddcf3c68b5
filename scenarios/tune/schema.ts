import { z } from 'zod';
import { duration, fraction, rate } from '../../results/units.js';

const value = z.union([z.string(), z.number(), z.boolean()]);
const objective = z
  .string()
  .regex(
    /^((max|min) )?(throughput|p50Latency|p99Latency|cost|cpuPerRequest|accuracy)$/,
    'must be like "max throughput", "min p99Latency", "min cost", "min cpuPerRequest" or "max accuracy"',
  );

/** `tune:` of a scenario. */
export const tuneSchema = z.strictObject({
  system: z.string().describe('the system to better; its own options are the author’s choice'),
  space: z
    .record(z.string(), z.union([z.array(value).min(1), z.record(z.string(), z.unknown())]))
    .describe('option, instances, strategy or threads → values; variant → names and their models'),
  load: z.string().describe('name of the load under which configurations are compared'),
  transport: z.string().optional().describe('default: the first of the scenario'),
  objective: z
    .union([objective, z.array(objective).min(1).max(4)])
    .default('max throughput')
    .describe('one, or a list for searches with several (nsga2)'),
  constraints: z
    .strictObject({
      p50Latency: duration().optional(),
      p99Latency: duration().optional(),
      errorRate: fraction().optional(),
      accuracy: fraction().optional(),
      relativeAccuracy: fraction().optional().describe('share of the author’s accuracy'),
      minThroughput: rate().optional(),
      maxCost: z.number().positive().optional().describe('cores: instances × threads'),
    })
    .default({}),
  search: z
    .union([z.string(), z.looseObject({ name: z.string() })])
    .default('bayesian')
    .describe('grid, random, hill-climb, bayesian, morphling, falcon, nsga2; with its options { name, … }'),
  budget: z.number().int().min(2).max(100_000).default(60).describe('points that the search may ask for'),
  evaluate: z
    .enum(['simulated-then-real', 'simulated', 'real'])
    .default('simulated-then-real')
    .describe('how a point is evaluated'),
  confirm: z.number().int().min(1).max(100).default(4).describe('best simulated points that are served for real'),
  repeats: z.number().int().min(1).max(100).default(5).describe('pairs of the comparison at the end'),
  seed: z.number().int().nonnegative().default(1),
});
