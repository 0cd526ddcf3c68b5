import { z } from 'zod';
import { UserError } from '../results/errors.js';

/** The thing of that name. Throws UserError that lists all names. */
export function lookUp<Thing extends { readonly name: string }>(
  things: Iterable<Thing>,
  name: string,
  kind: string,
  place = kind,
): Thing {
  const all = [...things];
  const found = all.find((thing) => thing.name === name);
  if (found !== undefined) return found;
  const allowed = all.map((thing) => thing.name).join(', ');
  throw new UserError({ place, found: `there is no ${kind} "${name}"`, allowed });
}

/** A value as its schema puts it, defaults filled in. Throws UserError with every problem of it. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, place: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError(
    parsed.error.issues.map((issue) => ({
      place: [place, ...issue.path.map(String)].join('.'),
      found: issue.message,
      allowed: issue.code === 'unrecognized_keys' && issue.path.length === 0 ? keysOf(schema) : undefined,
    })),
  );
}

/** The keys that an object schema knows. */
function keysOf(schema: z.ZodType): string | undefined {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape).join(', ') : undefined;
}
