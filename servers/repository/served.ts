import { createHash } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { UserError } from '../../results/errors.js';
import type { WarmUpSample } from '../executors/index.js';
import type { Datatype } from '../protocol/index.js';
import { DATATYPES } from '../protocol/types.js';
import { runtimes } from '../runtimes/index.js';
import type { ServedModelSpec } from '../spec.js';
import type { RepositoryConfig } from './config.js';

type Strategy = ServedModelSpec['strategy'];

/** What of a model's folder and configuration a version is served from. Throws UserError where they can't be carried out. */
export function servedSpec(
  root: string,
  name: string,
  version: string,
  config: RepositoryConfig,
): ServedModelSpec & { readonly signature: string } {
  const place = `${name}/config`;
  const runtime = runtimeOf(config, place);
  const options = runtimeOptions(config);
  const file = runtime === undefined || runtime === 'onnx' ? modelFile(root, name, version, config) : undefined;
  const spec: ServedModelSpec = {
    model: file === undefined ? { runtime: runtime!, options } : { path: file, root, runtime, options },
    modelName: name,
    modelVersion: version,
    strategy: strategyOf(config, place),
    instances: Math.max(
      1,
      config.instance_group.reduce((sum, { count }) => sum + count, 0),
    ),
    warmUp: config.model_warmup.length > 0 ? warmUpOf(config, join(root, name), place) : undefined,
  };
  return { ...spec, signature: signatureOf(spec, file) };
}

/** Another file, or another way of serving it: another signature. */
function signatureOf(spec: ServedModelSpec, file: string | undefined): string {
  const stat = file === undefined ? undefined : statSync(file);
  const content = JSON.stringify([spec, stat?.mtimeMs, stat?.size, stat?.ino]);
  return createHash('sha256').update(content).digest('hex');
}

const ENDINGS = ['.onnx', '.json', '.plan.json'];

function modelFile(root: string, name: string, version: string, config: RepositoryConfig): string {
  const folder = join(root, name, version);
  const wanted = config.default_model_filename;
  const names = wanted === undefined ? ENDINGS.map((ending) => `model${ending}`) : [wanted];
  const found = names.find((each) => existsSync(join(folder, each)));
  if (found !== undefined) return insideRoot(root, join(folder, found), `${name}/${version}/${found}`);
  const present = existsSync(folder) ? readdirSync(folder).slice(0, 5).join(', ') : '';
  throw new UserError({
    place: `${name}/${version}`,
    found: present === '' ? 'it is empty' : `it holds ${present}`,
    allowed: names.join(' or '),
    remedy: 'Name the file so, or name it in default_model_filename',
  });
}

/** The file's real place. Throws UserError where it, links followed, lies outside of the model root. */
export function insideRoot(root: string, path: string, place: string): string {
  const real = existsSync(path) ? realpathSync(path) : path;
  const inside = relative(realpathSync(root), real);
  if (!inside.startsWith('..') && !isAbsolute(inside)) return real;
  throw new UserError({ place, found: 'it lies outside of the model root', allowed: `files under ${root}` });
}

/** Undefined: by the file's ending. */
function runtimeOf({ backend, platform }: RepositoryConfig, place: string): string | undefined {
  const named = backend || platform;
  if (named === undefined || named === '') return undefined;
  if (named.startsWith('onnxruntime')) return 'onnx';
  const runtime = runtimes.find((each) => each.name === named)?.name;
  if (runtime !== undefined) return runtime === 'tfjs' ? undefined : runtime;
  throw new UserError({
    place: `${place}.backend`,
    found: `there is no backend "${named}" here`,
    allowed: ['onnxruntime', ...runtimes.map((each) => each.name)].join(', '),
    remedy: 'Export the model as ONNX',
  });
}

/** Parameters as Triton's onnxruntime backend names them, and `runtime_options`: ours, a JSON object. */
function runtimeOptions({ parameters }: RepositoryConfig): Record<string, unknown> {
  const threads = parameters.intra_op_thread_count?.string_value;
  return {
    ...(threads === undefined ? {} : { intraOpNumThreads: Number(threads) }),
    ...jsonParameter(parameters.runtime_options?.string_value, 'parameters.runtime_options'),
  };
}

/**
 * Ours where `parameters` has `strategy` (and `strategy_options`, a JSON object); else as Triton chooses: its sequence or
 * dynamic batcher where they are configured, instances with or without a rate limiter where not.
 */
function strategyOf(config: RepositoryConfig, place: string): Strategy {
  const { parameters, dynamic_batching: dynamic, sequence_batching: sequence, max_batch_size: rows = 0 } = config;
  const own = parameters.strategy?.string_value;
  const limited = config.instance_group.some((group) => group.rate_limiter !== undefined);
  if (limited && (own ?? dynamic ?? sequence) !== undefined)
    throw new UserError({
      place: `${place}.instance_group.rate_limiter`,
      found: 'a rate limiter beside a batcher',
      allowed: 'a rate limiter for models that are served one request at a time',
      remedy: 'Leave one of them out',
    });
  if (own !== undefined)
    return {
      name: own,
      options: jsonParameter(parameters.strategy_options?.string_value, 'parameters.strategy_options'),
    };
  if (sequence !== undefined)
    return {
      name: 'triton-sequence',
      options: {
        maxBatchSize: Math.max(1, rows),
        maxSequenceIdle: `${sequence.max_sequence_idle_microseconds}us`,
      },
    };
  if (dynamic !== undefined && rows > 1) return { name: 'triton-dynamic', options: dynamicOptions(rows, dynamic) };
  return { name: 'instance-group', options: limited ? { rateLimiter: rateLimiterOf(config) } : {} };
}

function dynamicOptions(rows: number, dynamic: NonNullable<RepositoryConfig['dynamic_batching']>) {
  const policy = (of: NonNullable<typeof dynamic.default_queue_policy>) => ({
    timeoutAction: of.timeout_action.toLowerCase(),
    defaultTimeout: `${of.default_timeout_microseconds}us`,
    allowTimeoutOverride: of.allow_timeout_override,
    maxQueueSize: of.max_queue_size,
  });
  return {
    maxBatchSize: rows,
    preferredBatchSize: dynamic.preferred_batch_size,
    maxQueueDelay: `${dynamic.max_queue_delay_microseconds}us`,
    preserveOrdering: dynamic.preserve_ordering,
    ...(dynamic.priority_levels > 0 && {
      priorityLevels: dynamic.priority_levels,
      defaultPriorityLevel: dynamic.default_priority_level || undefined,
    }),
    ...(dynamic.default_queue_policy && { defaultQueuePolicy: policy(dynamic.default_queue_policy) }),
    priorityQueuePolicy: Object.fromEntries(
      Object.entries(dynamic.priority_queue_policy).map(([level, of]) => [level, policy(of)]),
    ),
  };
}

/** As without `--rate-limit-resource`: of each resource there is as much as that instance of the server needs that needs most. */
function rateLimiterOf({ instance_group }: RepositoryConfig) {
  const instances = instance_group.flatMap(({ count, rate_limiter: limits }) =>
    Array.from({ length: count }, () => ({
      priority: Math.max(1, limits?.priority ?? 1),
      resources: Object.fromEntries((limits?.resources ?? []).map((each) => [each.name, each.count])),
    })),
  );
  const resources: Record<string, number> = {};
  for (const { resources: needs } of instances)
    for (const [name, n] of Object.entries(needs)) resources[name] = Math.max(resources[name] ?? 0, n);
  return { resources, instances, serverWide: true };
}

function warmUpOf(config: RepositoryConfig, folder: string, place: string): WarmUpSample[] {
  const batched = (config.max_batch_size ?? 0) > 0;
  return config.model_warmup.map(({ name, batch_size: rows, count, inputs }) => ({
    name,
    rows: Math.max(1, rows),
    count: Math.max(1, count),
    inputs: Object.entries(inputs).map(([input, { data_type: type, dims, input_data_file: file, random_data }]) => ({
      name: input,
      datatype: datatypeOf(type, `${place}.model_warmup.${name}.inputs.${input}.data_type`),
      dims,
      batched,
      ...(file === undefined ? { random: random_data === true } : { file: warmUpFile(folder, file, place) }),
    })),
  }));
}

/** Triton keeps them in the model's folder `warmup`. */
function warmUpFile(folder: string, file: string, place: string): string {
  const path = join(folder, 'warmup', file);
  if (existsSync(path)) return insideRoot(folder, path, `${place}.model_warmup ${file}`);
  throw new UserError({ place: `${place}.model_warmup`, found: `there is no file ${path}`, allowed: 'a raw tensor' });
}

function datatypeOf(type: string, place: string): Datatype {
  const name = type === 'TYPE_STRING' ? 'BYTES' : type.replace(/^TYPE_/, '');
  const found = DATATYPES.find((each) => each === name);
  if (found !== undefined) return found;
  throw new UserError({ place, found: `"${type}" is no datatype`, allowed: 'TYPE_FP32, TYPE_INT64, TYPE_STRING …' });
}

function jsonParameter(text: string | undefined, place: string): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new UserError({ place, found: `"${text}" is no JSON object`, allowed: '{ "maxBatchSize": 8 }' });
}
