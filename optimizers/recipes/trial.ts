import type { SampleLibrary } from '../../clients/samples/index.js';
import { UserError } from '../../results/errors.js';
import { fidelityOf } from '../fidelity.js';
import type { OnnxModel } from '../onnx/index.js';
import { applyPass, type PassStep, type Variant } from '../optimize.js';
import type { PassContext } from '../passes/index.js';
import { type AccuracyMetric, type Judgement, judge } from './gate.js';

/** What accuracy is judged by. */
export interface Court {
  readonly reference: OnnxModel;
  readonly samples: SampleLibrary;
  /** Samples of it: its first. */
  readonly count: number;
  readonly gate: number;
  readonly metric?: AccuracyMetric | undefined;
}

/** One pass more, and its accuracy; or why the pass can do nothing. */
export type Trial =
  | { readonly variant: Variant; readonly model: OnnxModel; readonly accuracy: Judgement }
  | { readonly refused: string };

export async function attempt(from: Variant, step: PassStep, court: Court, context: PassContext): Promise<Trial> {
  try {
    const variant = await applyPass(from, step, context);
    const model = onlyModel(variant, step);
    return { variant, model, accuracy: await judged(model, court) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refused: error.problems[0]!.found };
  }
}

export async function judged(model: OnnxModel, { reference, samples, count, gate, metric }: Court): Promise<Judgement> {
  const fidelity = await fidelityOf(reference, model, samples, count);
  if (metric === 'top-1' && fidelity.topOne === null)
    throw new UserError({
      place: '--metric top-1',
      found: `the samples ${samples.name} have no labels`,
      allowed: 'agreement, cosine',
    });
  return judge(fidelity, gate, metric);
}

/** A step as it would be given: `name:key=value,…`. */
export function stepText({ name, options }: PassStep): string {
  const settings = Object.entries(options).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return settings.length === 0 ? name : `${name}:${settings.join(',')}`;
}

function onlyModel({ models }: Variant, { name }: PassStep): OnnxModel {
  const [only, ...others] = models;
  if (only !== undefined && others.length === 0) return only.model;
  throw new UserError({ place: `--pass ${name}`, found: 'it splits the model, and a gate judges one model' });
}
