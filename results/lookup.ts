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
 * `schema` names what is allowed for unknown keys at its root, `belongs` where one goes that is right elsewhere. Parse with
 * `reportInput`, so that they say what was found.
 */
export function problemsOf(
  error: z.ZodError,
  path: Path,
  place: (path: Path, atKey?: boolean) => string,
  schema: z.ZodType,
  belongs?: (key: string, allowed: readonly string[]) => string | undefined,
): Problem[] {
  return error.issues.flatMap(nearestBranch).flatMap((issue): Problem[] => {
    const within = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const here = [...path, ...within];
    if (issue.code !== 'unrecognized_keys') return [describe(issue, place(here))];
    const allowed = keysOf(schema, within);
    return issue.keys.map((key) => {
      const problem = unknownKey(place([...here, key], true), key, allowed);
      return { ...problem, remedy: belongs?.(key, allowed) ?? problem.remedy };
    });
  });
}

/** Of a union without a message of its own: the issues of the one branch whose kind of value it is, where there is one. */
function nearestBranch(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.message !== UNION) return [issue];
  const near = issue.errors.filter((branch) => !branch.some((each) => isOfOtherKind(each)));
  if (near.length !== 1) return [issue];
  return near[0]!.map((each) => ({ ...each, path: [...issue.path, ...each.path] })).flatMap(nearestBranch);
}

const isOfOtherKind = (issue: z.core.$ZodIssue) => issue.code === 'invalid_type' && issue.path.length === 0;
/** Zod's own message. */
const UNION = 'Invalid input';

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

/** The keys that an object schema allows, or those of what stands at `path` in it. */
export function keysOf(schema: z.ZodType, path: Path = []): readonly string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as JsonNode;
  const nodes = path.reduce<readonly JsonNode[]>((at, key) => at.flatMap((node) => below(node, key)), branches(root));
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

interface JsonNode {
  readonly properties?: Readonly<Record<string, JsonNode>>;
  readonly additionalProperties?: JsonNode | boolean;
  readonly items?: JsonNode;
  readonly anyOf?: readonly JsonNode[];
}

function below(node: JsonNode, key: string | number): readonly JsonNode[] {
  const { properties = {}, additionalProperties: rest, items } = node;
  const next = typeof key === 'number' ? items : Object.hasOwn(properties, key) ? properties[key] : rest;
  return typeof next === 'object' ? branches(next) : [];
}

function branches(node: JsonNode): readonly JsonNode[] {
  return node.anyOf ? node.anyOf.flatMap(branches) : [node];
}

function describe(issue: z.core.$ZodIssue, place: string): Problem {
  switch (issue.code) {
    case 'invalid_value':
      return {
        place,
        found: issue.input === undefined ? 'is missing' : `${show(issue.input)} is not allowed here`,
        allowed: issue.values.map(String).join(', '),
      };
    case 'invalid_type':
      return issue.input === undefined
        ? { place, found: 'is missing', allowed: kindName(issue.expected) }
        : { place, found: `${show(issue.input)} is of the wrong type`, allowed: kindName(issue.expected) };
    case 'invalid_union':
      if (issue.message !== UNION) return plainly(issue, place);
      return {
        place,
        found: issue.input === undefined ? 'is missing' : `${show(issue.input)} does not do`,
        allowed: kinds(issue),
      };
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
      return plainly(issue, place);
  }
}

/** By the message that the schema gives. */
function plainly(issue: z.core.$ZodIssue, place: string): Problem {
  if (issue.input === undefined && issue.path.length > 0) return { place, found: `is missing: it ${issue.message}` };
  return { place, found: isPlain(issue.input) ? `${show(issue.input)} ${issue.message}` : issue.message };
}

/** What a value of each branch would be. */
function kinds(issue: z.core.$ZodIssueInvalidUnion): string | undefined {
  const allowed = issue.errors.flatMap((branch) =>
    branch.flatMap((each) => (isOfOtherKind(each) && each.code === 'invalid_type' ? [kindName(each.expected)] : [])),
  );
  return allowed.length > 0 ? [...new Set(allowed)].join(' or ') : undefined;
}

/** Zod's name of a type, in the words of a YAML file. */
function kindName(expected: string): string {
  return KINDS[expected] ?? `a ${expected}`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  record: 'a map of names',
  object: 'a map of keys',
};

/** A rule over several keys blames their object: there the message alone is clearer. */
function isPlain(value: unknown): boolean {
  return value !== undefined && typeof value !== 'object';
}

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
