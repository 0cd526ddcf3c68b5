import { UserError } from '../../results/errors.js';
import { problemsOf } from '../../results/lookup.js';
import type { ProcessingSpec, Processor, ProcessorChoice, ProcessorContext } from './contract.js';
import { processorNamed } from './registry.js';

/** What stands before and behind one model, ready to run. */
export interface Processing {
  readonly pre: Processor | undefined;
  readonly post: Processor | undefined;
}

/** Makes both. Throws UserError where an option, a file or the model does not fit. */
export async function createProcessing(
  spec: ProcessingSpec,
  model: ProcessorContext['model'] & { readonly name: string },
): Promise<Processing> {
  const make = (side: 'pre' | 'post') => {
    const choice = spec[side];
    return (
      choice &&
      createProcessor(side, choice, { model, files: spec.files, place: `model ${model.name}, ${side}processing` })
    );
  };
  return { pre: await make('pre'), post: await make('post') };
}

/** Throws UserError where an option, a file or the model does not fit. */
export async function createProcessor(
  side: 'pre' | 'post',
  { name, options = {} }: ProcessorChoice,
  context: ProcessorContext,
): Promise<Processor> {
  const definition = processorNamed(name, side, context.place);
  const parsed = definition.options.safeParse(options, { reportInput: true });
  if (!parsed.success)
    throw new UserError(
      problemsOf(parsed.error, [name], (path) => `${context.place} ${path.join('.')}`, definition.options),
    );
  for (const role of definition.needs ?? [])
    if (context.files[role] === undefined)
      throw new UserError({
        place: `${context.place}: ${name}`,
        found: `the model's entry has no file "${role}"`,
        allowed: `files: ${definition.needs!.join(', ')}`,
      });
  return await definition.create(parsed.data, context);
}
