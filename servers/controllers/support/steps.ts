import { z } from 'zod';
import { UserError } from '../../../results/errors.js';
import { checked } from '../../../results/lookup.js';
import type { Controller } from '../contract.js';

/** A controller with one kind of input. The schema says what is needed; further keys are dropped. Throws UserError. */
export function answering<Input extends z.ZodType>(
  place: string,
  schema: Input,
  answer: (input: z.output<Input>) => unknown,
): Controller {
  return { step: (input) => answer(checked(schema, input, place)) };
}

/** A controller whose inputs name an operation in `op`. Throws UserError that lists all of them. */
export function operations(place: string, table: Readonly<Record<string, Controller>>): Controller {
  return {
    step(input) {
      const { op } = input;
      const known = typeof op === 'string' && Object.hasOwn(table, op) ? table[op] : undefined;
      if (known !== undefined) return known.step(input);
      throw new UserError({
        place: `${place}.op`,
        found: op === undefined ? 'the step names no operation' : `there is no operation ${JSON.stringify(op)}`,
        allowed: Object.keys(table).join(', '),
      });
    },
  };
}

/** Time of a step: integer nanoseconds. */
export const at = () => z.number();
