import type { z } from 'zod';
import { UserError } from '../results/errors.js';

/** The thing of that name. Throws UserError that lists all names. */
export function named<Thing extends { readonly name: string }>(
  kind: string,
  things: readonly Thing[],
  name: string,
  place: string,
): Thing {
  const found = things.find((thing) => thing.name === name);
  if (found !== undefined) return found;
  const allowed = things.map((thing) => thing.name).join(', ');
  throw new UserError({ place, found: `there is no ${kind} "${name}"`, allowed });
}

/** Options with their defaults filled in. Throws UserError with every problem of them. */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  place: string,
): z.output<Schema> {
  const parsed = schema.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  throw new UserError(
    parsed.error.issues.map((issue) => ({
      place: [place, ...issue.path.map(String)].join('.'),
      found: issue.message,
    })),
  );
}
