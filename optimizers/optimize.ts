import { UserError } from '../results/errors.js';
import type { OnnxModel } from './onnx/index.js';
import { type PassContext, type PassResult, parsePassOptions, passNamed } from './passes/index.js';

/** A pass and its options as the user wrote them. */
export interface PassStep {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A pass that was applied: its options with defaults, what it changed and what it said. */
export interface AppliedPass {
  readonly name: string;
  readonly options: unknown;
  readonly facts: PassResult['facts'];
  readonly notes: readonly string[];
}

/** A model under way: what it is now, and the passes that made it so. */
export interface Variant {
  readonly models: PassResult['models'];
  readonly plan: PassResult['plan'];
  readonly applied: readonly AppliedPass[];
}

/** The model as it was read. */
export function original(model: OnnxModel): Variant {
  return { models: [{ suffix: '', model }], plan: undefined, applied: [] };
}

/** Every step's pass exists and its options are right. Throws UserError with all problems, before anything runs. */
export function checkSteps(steps: readonly PassStep[]): void {
  const problems = steps.flatMap((step) => {
    try {
      parsePassOptions(passNamed(step.name), step.options, `--pass ${step.name}`);
      return [];
    } catch (error) {
      if (error instanceof UserError) return error.problems;
      throw error;
    }
  });
  if (problems.length > 0) throw new UserError(problems);
}

/** One pass more: what recipes and searches repeat, with a gate of theirs after each. Throws UserError, see PassDefinition. */
export async function applyPass(variant: Variant, step: PassStep, context: PassContext): Promise<Variant> {
  const definition = passNamed(step.name);
  const options = parsePassOptions(definition, step.options, `--pass ${step.name}`);
  const [only, ...others] = variant.models;
  if (only === undefined || others.length > 0)
    throw new UserError({
      place: `--pass ${step.name}`,
      found: 'the model was split by the pass before',
      remedy: 'Split last',
    });
  const { models, plan, facts, notes } = await definition.apply(only.model, options, context);
  return { models, plan, applied: [...variant.applied, { name: step.name, options, facts, notes }] };
}
