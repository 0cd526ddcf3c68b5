import { z } from 'zod';
import type { PassStep } from '../optimizers/optimize.js';
import { checked } from '../results/lookup.js';
import { fraction } from '../results/units.js';
import { parseSettings } from './settings.js';
import { readYaml } from './yaml.js';

const schema = z.strictObject({
  passes: z.array(z.union([z.string().min(1), z.looseObject({ name: z.string().min(1) })])).min(1),
  gate: fraction().optional(),
  onBreak: z.enum(['drop', 'end']).optional(),
  metric: z.enum(['top-1', 'agreement', 'cosine']).optional(),
});

export interface Recipe extends Omit<z.output<typeof schema>, 'passes'> {
  readonly passes: readonly PassStep[];
}

/** A recipe as a file (`passes:`, each a text or `{ name, its options … }`; `gate`, `onBreak`, `metric`), or as `a,b:key=value,c`. */
export function readRecipe(text: string): Recipe {
  if (!/\.ya?ml$/.test(text)) return { passes: splitList(text).map(parseStep) };
  const { passes, ...rest } = checked(schema, readYaml(text).value, text);
  return { ...rest, passes: passes.map((each) => (typeof each === 'string' ? parseStep(each) : stepOf(each))) };
}

/** `name:key=value,key=[1,2]` as a step. Commas within brackets belong to the value. */
export function parseStep(text: string): PassStep {
  const [name, ...rest] = text.trim().split(':');
  return { name: name!, options: parseSettings(splitAtCommas(rest.join(':'))) };
}

function stepOf({ name, ...options }: { readonly name: string }): PassStep {
  return { name, options };
}

/** Passes apart: a comma separates them unless what follows is another option of the same one. */
function splitList(text: string): string[] {
  const steps: string[] = [];
  for (const part of splitAtCommas(text))
    if (/^[A-Za-z][\w.]*=/.test(part) && steps.length > 0) steps.push(`${steps.pop()},${part}`);
    else steps.push(part);
  return steps;
}

function splitAtCommas(text: string): string[] {
  return text.match(/(?:[^,[{]|\[[^\]]*\]|\{[^}]*\})+/g) ?? [];
}
