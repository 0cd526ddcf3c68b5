import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, UserError } from '../../results/errors.js';
import { checked } from '../../results/lookup.js';

const names = z.array(z.string()).min(1);
const step = { inputs: names, outputs: names };
/** Share of the whole's cost, 0…1. */
const cost = z.number().min(0);

const whole = z.object({ kind: z.literal('whole'), model: z.string(), ...step, cost });

const sharded = z.object({
  kind: z.literal('sharded'),
  models: z.array(z.string()).min(1),
  ...step,
  reduce: z.enum(['sum', 'concat']),
  /** Of `concat`, counted from the end: −1. */
  axis: z.number().int(),
  /** FP32 bytes that a row's outputs hold; each shard sends them (sum) or its share of them (concat). */
  bytesPerRow: z.number().nonnegative(),
  cost,
});

const bucket = z.object({
  kind: z.literal('bucket'),
  model: z.string(),
  /** The longest sequence that this model takes. */
  length: z.number().int().positive(),
  ...step,
});

const splitPlan = z.object({
  schema: z.literal(1),
  kind: z.enum(['pipeline', 'tensor', 'buckets']),
  inputs: z.array(z.string()),
  outputs: names,
  /** Of `buckets`: input or output → its axes that count the sequence. */
  sequence: z.record(z.string(), z.array(z.number().int().nonnegative())).optional(),
  steps: z.array(z.discriminatedUnion('kind', [whole, sharded, bucket])).min(1),
});

const planFile = splitPlan.extend({
  /** Suffix → file beside the plan. */
  files: z.record(z.string(), z.string().min(1)),
});

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/**
 * How the parts of a split model make the whole: steps in order over named values, beginning with the model's inputs. A
 * `model` is a part's suffix. `sharded` parts run side by side on the same inputs; each gives every output, and these are
 * summed (a row slice's partial sums) or joined along `axis` (a column slice's columns). `bucket` steps are alternatives.
 */
export type SplitPlan = DeepReadonly<z.output<typeof splitPlan>>;
export type SplitStep = SplitPlan['steps'][number];
export type WholeStep = Extract<SplitStep, { kind: 'whole' }>;
export type BucketStep = Extract<SplitStep, { kind: 'bucket' }>;
export type ShardedStep = Extract<SplitStep, { kind: 'sharded' }>;

export const PLAN_ENDING = '.plan.json';

export interface PlanFile extends SplitPlan {
  /** Absolute path of a part. */
  pathOf(suffix: string): string;
}

/** Reads a plan file that `servemark optimize` wrote. Throws UserError where it is none, or names parts that it lacks. */
export function readPlan(path: string): PlanFile {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw notAPlan(path, `can't be read: ${messageOf(error)}`);
  }
  const { files, ...plan } = checked(planFile, content, path);
  const missing = partsOf(plan).filter((suffix) => !(suffix in files));
  if (missing.length > 0) throw notAPlan(path, `names no file for ${missing.join(', ')}`);
  return { ...plan, pathOf: (suffix) => resolve(dirname(path), files[suffix]!) };
}

/** The plan, held to the kind that a runtime executes. */
export function readPlanOf(path: string | undefined, kind: SplitPlan['kind'], runtime: string): PlanFile {
  if (path === undefined)
    throw new UserError({ place: 'model', found: `the ${runtime} runtime needs a plan`, allowed: `a *${PLAN_ENDING}` });
  const plan = readPlan(path);
  if (plan.kind === kind) return plan;
  throw new UserError({
    place: path,
    found: `it is a ${plan.kind} plan, which ${runtime} does not execute`,
    allowed: `a ${kind} plan`,
  });
}

/** Suffixes of all parts, in the order of steps. */
export function partsOf({ steps }: SplitPlan): string[] {
  return steps.flatMap((each) => (each.kind === 'sharded' ? each.models : [each.model]));
}

function notAPlan(place: string, found: string): UserError {
  return new UserError({
    place,
    found,
    allowed: `the *${PLAN_ENDING} of a split model`,
    remedy: 'Make one: servemark optimize MODEL.onnx --pass split-pipeline -o OUT.onnx',
  });
}
