import { z } from 'zod';
import { type Problem, UserError } from './errors.js';
import { nearest } from './nearest.js';

type Path = readonly (string | number)[];

/** The thing of that name. Throws UserError that lists all names, and says which one was likely meant. */
export function lookUp<Thing extends { readonly name: string }>(
  things: Iterable<Thing>,
  name: string,
  kind: string,
  place = kind,
): Thing {
  const all = [...things];
  const found = all.find((thing) => thing.name === name);
  if (found !== undefined) return found;
  throw new UserError(unknownName(place, kind, name, all));
}

/** The same for who gathers problems: one more where there is none. */
export function lookFor<Thing extends { readonly name: string }>(
  things: readonly Thing[],
  name: string,
  kind: string,
  place: string,
  found: Problem[],
): Thing | undefined {
  const thing = things.find((each) => each.name === name);
  if (!thing) found.push(unknownName(place, kind, name, things));
  return thing;
}

/** `there is no strategy "triton"`, with the names there are. */
export function unknownName(
  place: string,
  kind: string,
  name: string,
  allowed: readonly (string | { readonly name: string })[],
): Problem {
  const names = allowed.map((each) => (typeof each === 'string' ? each : each.name));
  const meant = nearest(name, names);
  return {
    place,
    found: `there is no ${kind} "${name}"`,
    allowed: names.join(', '),
    remedy: meant && `Did you mean "${meant}"?`,
  };
}

/** A value as its schema puts it, defaults filled in. Throws UserError with every problem of it. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, place: string): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new UserError(problemsOf(parsed.error, [], (path) => [place, ...path].join('.'), schema));
}

/**
 * Zod's issues as problems, one a mistake. `place` says where a path of keys is, `atKey` where the key itself is to be shown;
 * `schema` names what is allowed for unknown keys at its root. Parse with `reportInput`, so that they say what was found.
 */
export function problemsOf(
  error: z.ZodError,
  path: Path,
  place: (path: Path, atKey?: boolean) => string,
  schema: z.ZodType,
): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const here = [...path, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    if (issue.code !== 'unrecognized_keys') return [describe(issue, place(here))];
    const allowed = issue.path.length === 0 ? keysOf(schema) : [];
    return issue.keys.map((key) => unknownKey(place([...here, key], true), key, allowed));
  });
}

/** `unknown key "sytems"`, with the allowed ones and the likely meant one. */
export function unknownKey(place: string, key: string, allowed: readonly string[]): Problem {
  const meant = nearest(key, allowed);
  return {
    place,
    found: `unknown key "${key}"`,
    allowed: allowed.length > 0 ? allowed.join(', ') : undefined,
    remedy: meant ? `Did you mean "${meant}"?` : 'Remove it.',
  };
}

/** The keys that an object schema allows. */
export function keysOf(schema: z.ZodType): readonly string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, unknown>;
  };
  return Object.keys(json.properties ?? {});
}

function describe(issue: z.core.$ZodIssue, place: string): Problem {
  switch (issue.code) {
    case 'invalid_value':
      return { place, found: `${show(issue.input)} is not allowed here`, allowed: issue.values.map(String).join(', ') };
    case 'invalid_type':
      return issue.input === undefined
        ? { place, found: 'is missing', allowed: `a ${issue.expected}` }
        : { place, found: `${show(issue.input)} is of the wrong type`, allowed: `a ${issue.expected}` };
    case 'too_small':
      return {
        place,
        found: `${show(issue.input)} is too small`,
        allowed: `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`,
      };
    case 'too_big':
      return {
        place,
        found: `${show(issue.input)} is too large`,
        allowed: `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`,
      };
    default:
      if (issue.input === undefined && issue.path.length > 0)
        return { place, found: `is missing: it ${issue.message}` };
      return { place, found: isPlain(issue.input) ? `${show(issue.input)} ${issue.message}` : issue.message };
  }
}

/** A rule over several keys blames their object: there the message alone is clearer. */
function isPlain(value: unknown): boolean {
  return value !== undefined && typeof value !== 'object';
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
