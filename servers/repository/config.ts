import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { checked } from '../../results/lookup.js';
import { readTextProto, type TextMessage, type TextValue } from './pbtxt.js';

/** Protobuf's JSON writes 64-bit integers as text. */
const whole = () =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.number().int().nonnegative(),
  );

const queuePolicy = z.looseObject({
  timeout_action: z.enum(['REJECT', 'DELAY']).default('REJECT'),
  default_timeout_microseconds: whole().default(0),
  allow_timeout_override: z.boolean().default(false),
  max_queue_size: whole().default(0),
});

const dynamicBatching = z.looseObject({
  preferred_batch_size: z.array(whole()).default([]),
  max_queue_delay_microseconds: whole().default(0),
  preserve_ordering: z.boolean().default(false),
  priority_levels: whole().default(0),
  default_priority_level: whole().default(0),
  default_queue_policy: queuePolicy.optional(),
  priority_queue_policy: z.record(z.string(), queuePolicy).default({}),
});

const instanceGroup = z.looseObject({
  count: whole().default(1),
  kind: z.string().default('KIND_AUTO'),
  rate_limiter: z
    .looseObject({
      resources: z
        .array(z.looseObject({ name: z.string(), global: z.boolean().default(false), count: whole().default(1) }))
        .default([]),
      priority: whole().default(1),
    })
    .optional(),
});

const warmUp = z.looseObject({
  name: z.string().default('warm-up'),
  batch_size: whole().default(1),
  count: whole().default(1),
  inputs: z.record(
    z.string(),
    z.looseObject({
      data_type: z.string(),
      dims: z.array(whole()).default([]),
      zero_data: z.boolean().optional(),
      random_data: z.boolean().optional(),
      input_data_file: z.string().optional(),
    }),
  ),
});

/** The fields of Triton's model configuration that are carried out here; others are kept, and told (`ignoredFields`). */
const configSchema = z.looseObject({
  name: z.string().optional(),
  backend: z.string().optional(),
  platform: z.string().optional(),
  default_model_filename: z.string().optional(),
  max_batch_size: whole().optional(),
  version_policy: z
    .union([
      z.strictObject({ latest: z.looseObject({ num_versions: whole().default(1) }) }),
      z.strictObject({ all: z.looseObject({}) }),
      z.strictObject({ specific: z.looseObject({ versions: z.array(whole()).min(1) }) }),
    ])
    .default({ latest: { num_versions: 1 } }),
  instance_group: z.array(instanceGroup).default([]),
  dynamic_batching: dynamicBatching.optional(),
  sequence_batching: z.looseObject({ max_sequence_idle_microseconds: whole().default(1_000_000) }).optional(),
  model_warmup: z.array(warmUp).default([]),
  parameters: z.record(z.string(), z.looseObject({ string_value: z.string() })).default({}),
});

export type RepositoryConfig = z.output<typeof configSchema>;

/** Of a model's folder: `config.pbtxt`, else `config.json`, else none. Throws UserError. */
export function readConfig(folder: string, label: string): RepositoryConfig {
  const text = join(folder, 'config.pbtxt');
  if (existsSync(text)) {
    const place = `${label}/config.pbtxt`;
    return checked(configSchema, plain(readTextProto(readFileSync(text, 'utf8'), place), '', place), place);
  }
  const json = join(folder, 'config.json');
  return existsSync(json) ? parseConfig(readFileSync(json, 'utf8'), `${label}/config.json`) : configSchema.parse({});
}

/** Triton's configuration as JSON, as the load API gives it. Throws UserError. */
export function parseConfig(json: string, place: string): RepositoryConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UserError({ place, found: 'it is no JSON', allowed: 'Triton’s model configuration as a JSON object' });
  }
  return checked(configSchema, value, place);
}

/** Fields that stand in a configuration and change nothing here. Inputs and outputs are the model file's own. */
export function ignoredFields(config: RepositoryConfig): string[] {
  const known = [...Object.keys(configSchema.shape), 'input', 'output'];
  return Object.keys(config).filter((key) => !known.includes(key));
}

/** By the field that holds them: what may stand several times, and what is a map. */
const LISTS = new Set([
  ...['instance_group', 'input', 'output', 'model_warmup', 'preferred_batch_size', 'versions', 'dims', 'resources'],
  ...['gpus', 'profile', 'step', 'control_input', 'state', 'label_filename'],
]);
const MAPS = new Set(['parameters', 'priority_queue_policy', 'model_warmup.inputs']);

/** The text format as the JSON mapping has it. Throws UserError where a single field stands twice. */
function plain(message: TextMessage, path: string, place: string): Record<string, unknown> {
  return Object.fromEntries(
    [...message].map(([name, values]) => {
      const own = path === '' ? name : `${path}.${name}`;
      const one = (value: TextValue) => (typeof value === 'object' ? plain(value, name, place) : value);
      if (MAPS.has(name) || MAPS.has(own)) return [name, Object.fromEntries(values.map((value) => entry(one(value))))];
      if (LISTS.has(name)) return [name, values.map(one)];
      if (values.length > 1)
        throw new UserError({ place, found: `${own} stands ${values.length} times`, allowed: 'once' });
      return [name, one(values[0]!)];
    }),
  );
}

function entry(value: unknown): [key: string, value: unknown] {
  const { key, value: of } = value as { readonly key?: unknown; readonly value?: unknown };
  return [String(key), of];
}
