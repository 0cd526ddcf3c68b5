import { z } from 'zod';
import type { Problem } from '../results/errors.js';
import { duration, fraction } from '../results/units.js';

const seed = z.union([z.number().int().nonnegative(), z.string().regex(/^\d+$/)], {
  error: 'must be a whole number from 0 to 2^64 − 1',
});
const cpus = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'must be a list of processors like 0,2-3');

/** `model:` in full. A plain text is a zoo name. */
export const modelSchema = z.union([
  z.string(),
  z.looseObject({
    zoo: z.string().optional(),
    path: z.string().optional(),
    runtime: z.string().optional(),
    name: z.string().optional(),
  }),
]);

export const samplesSchema = z.union([
  z.string(),
  z.strictObject({
    name: z.string().optional(),
    directory: z.string().optional(),
    count: z.number().int().positive().optional(),
    dims: z.record(z.string(), z.array(z.number().int().positive())).optional(),
  }),
]);

/** Keys of a scenario whose meaning needs no registry. Systems and loads are validated entry by entry (load.ts). */
export const scenarioSchema = z.strictObject({
  schema: z.literal(1).describe('version of this format'),
  extends: z.string().optional().describe('another scenario file whose keys hold where this one is silent'),
  question: z.string().min(1).describe('what the report is to answer, one sentence'),
  preset: z
    .enum(['quick', 'mlperf', 'mlperf-short'])
    .default('quick')
    .describe('minimum durations and counts of the load types'),
  model: modelSchema.default('fashion-mlp').describe('a zoo name, { path: ./my.onnx } or { runtime: synthetic, … }'),
  samples: samplesSchema
    .optional()
    .describe('where inputs come from; default: the model’s own, else generated from its metadata'),
  systems: z.record(z.string(), z.unknown()).describe('name → strategy and its options'),
  loads: z.record(z.string(), z.unknown()).describe('name → type and its options'),
  transports: z.array(z.string()).min(1).default(['rest-binary']),
  targets: z
    .strictObject({
      p99Latency: duration().optional(),
      errorRate: fraction().optional(),
      accuracy: fraction().optional(),
    })
    .default({}),
  repeats: z.number().int().min(1).max(1000).default(1),
  warmUp: duration().default(300e6).describe('load before the measured part'),
  probe: duration().default(1e9).describe('length of the capacity probe'),
  accuracy: z.boolean().default(false).describe('also run every sample once and judge the answers'),
  simulate: z.boolean().default(false).describe('show simulated results beside the real ones'),
  seeds: z
    .strictObject({
      schedule: seed.optional(),
      samples: seed.optional(),
      order: seed.optional(),
      bootstrap: seed.optional(),
    })
    .default({}),
});

/** Keys of a system beside its strategy's own options. */
export const systemSchema = z.strictObject({
  strategy: z.string(),
  instances: z.number().int().min(1).max(64).optional(),
  isolation: z.enum(['thread', 'process']).default('thread'),
  model: modelSchema.optional(),
  serverCpus: cpus.optional(),
  loadCpus: cpus.optional(),
  sweep: z
    .record(z.string(), z.array(z.unknown()).min(1))
    .optional()
    .describe('option → values; every combination becomes a system'),
});

/** The keys a strict object schema allows. */
export function keysOf(schema: z.ZodType): readonly string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, unknown>;
  };
  return Object.keys(json.properties ?? {});
}

/** Zod's issues as problems: one a mistake, with the place in the file. `schema` names what is allowed for unknown keys at its root. */
export function problemsOf(
  error: z.ZodError,
  path: readonly (string | number)[],
  place: (path: readonly (string | number)[], atKey?: boolean) => string,
  schema: z.ZodType,
): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const here = [...path, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    if (issue.code === 'unrecognized_keys') {
      const allowed = issue.path.length === 0 ? keysOf(schema) : [];
      return issue.keys.map((key) => unknownKey(place([...here, key], true), key, allowed));
    }
    return [describeIssue(issue, place(here))];
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

/** `unknown strategy "triton"`, with the allowed names. */
export function unknownName(place: string, kind: string, name: string, allowed: readonly string[]): Problem {
  const meant = nearest(name, allowed);
  return {
    place,
    found: `unknown ${kind} "${name}"`,
    allowed: allowed.join(', '),
    remedy: meant ? `Did you mean "${meant}"?` : '`servemark list` describes them all.',
  };
}

function describeIssue(issue: z.core.$ZodIssue, place: string): Problem {
  switch (issue.code) {
    case 'invalid_value':
      return { place, found: `${show(issue.input)} is not allowed here`, allowed: issue.values.map(String).join(', ') };
    case 'invalid_type':
      return issue.input === undefined
        ? { place, found: 'is missing', allowed: `a ${issue.expected}` }
        : { place, found: `${show(issue.input)} is of the wrong type`, allowed: `a ${issue.expected}` };
    case 'too_small':
      return { place, found: `${show(issue.input)} is too small`, allowed: `at least ${issue.minimum}` };
    case 'too_big':
      return { place, found: `${show(issue.input)} is too large`, allowed: `at most ${issue.maximum}` };
    default:
      return { place, found: issue.input === undefined ? issue.message : `${show(issue.input)} ${issue.message}` };
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  const scored = candidates.map((candidate) => ({
    candidate,
    distance: editDistance(word.toLowerCase(), candidate.toLowerCase()),
  }));
  scored.sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= Math.max(2, word.length / 3) ? best.candidate : undefined;
}

/** Levenshtein. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    previous = row;
  }
  return previous[b.length]!;
}
