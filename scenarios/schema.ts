import { z } from 'zod';
import { accuracyMetrics } from '../results/accuracy/index.js';
import { duration, fraction } from '../results/units.js';
import { balancingSchema } from '../servers/routing/index.js';

const SEED = 'must be a whole number from 0 to 2^64 − 1';
const seed = z.union([z.number().int().nonnegative(), z.string().regex(/^\d+$/, SEED)], { error: SEED });
const cpus = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'must be a list of processors like 0,2-3');

const loadProcesses = z.number().int().min(1).max(64);

/** A dense net that is generated on demand: for comparisons that need a model of a known size and no training. */
export const denseSchema = z.strictObject({
  layers: z.number().int().min(1).max(64).default(8),
  width: z.number().int().min(1).max(8192).default(512),
  seed: z.number().int().nonnegative().default(1),
});

/** Passes in order: a name, or { name, its options … }. */
const passesSchema = z
  .array(z.union([z.string(), z.looseObject({ name: z.string() })]))
  .min(1)
  .describe('rewrites of the model (servemark list passes); made once and kept in the cache');

/** `model:` in full. A plain text is a zoo name. */
const modelSchema = z.union([
  z.string(),
  z.looseObject({
    zoo: z.string().optional(),
    path: z.string().optional(),
    dense: denseSchema.optional(),
    runtime: z.string().optional(),
    name: z.string().optional(),
    passes: passesSchema.optional(),
  }),
]);

const samplesSchema = z.union([
  z.string(),
  z.strictObject({
    name: z.string().optional(),
    directory: z.string().optional(),
    count: z.number().int().positive().optional(),
    dims: z.record(z.string(), z.array(z.number().int().positive())).optional(),
    forPasses: z
      .number()
      .int()
      .nonnegative()
      .optional()
      .describe(
        'so many samples, evenly spread, are for passes (calibration, training): no load and no accuracy sees them',
      ),
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
      p99Latency: duration({ above: '0ms' }).optional(),
      errorRate: fraction({ most: '100%' }).optional(),
      accuracy: fraction({ most: '100%' }).optional(),
      relativeAccuracy: z
        .string()
        .optional()
        .describe('like "99% of fp32": the accuracy of that system, over the same transport'),
    })
    .default({}),
  repeats: z.number().int().min(1).max(1000).default(1),
  warmUp: duration()
    .default(300e6)
    .describe('load before the measured part; goes on until 2,500 answers, for 1.5 s or four times as long at most'),
  probe: duration({ above: '0s' }).default(1e9).describe('length of the capacity probe'),
  loadProcesses: loadProcesses.default(1).describe('processes that share each load, as far as it can be shared'),
  connections: z
    .number()
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe(
      'connections of each load at most (default: open loads 1024, opened as they are needed; others as many as are in flight, at least 64)',
    ),
  loadScheduling: z
    .enum(['real-time', 'short-slices', 'ordinary'])
    .default('real-time')
    .describe('the best that load processes ask the kernel for; what they got stands in the report'),
  accuracy: z
    .union(
      [
        z.boolean(),
        z.strictObject({
          metric: z
            .enum(accuracyMetrics.map(({ name }) => name))
            .optional()
            .describe('how answers are judged; default: the model’s own, else top-1'),
          sampled: fraction({ most: '100%' })
            .optional()
            .describe('share of the answers that performance trials judge too, like 2%'),
        }),
      ],
      `must be true, false or { sampled: a share like 2%, metric: ${accuracyMetrics.map(({ name }) => name).join(', ')} }`,
    )
    .default(false)
    .describe(
      'also run every sample once and judge the answers; { sampled: 2%, metric: top-5 } judges some under load too',
    ),
  tune: z.unknown().optional().describe('a space of configurations for `servemark tune`'),
  simulate: z.boolean().default(false).describe('show simulated results beside the real ones'),
  comparison: z
    .strictObject({
      noiseFloor: z
        .string()
        .optional()
        .describe(
          'a system that is run under a second name too (A/A pairs): what it differs from itself is no finding',
        ),
    })
    .default({}),
  monitors: z
    .array(z.union([z.string(), z.looseObject({ name: z.string() })]))
    .optional()
    .describe('what is read while a trial runs: names, or { name, its options … }; default: all that can run here'),
  monitorPeriod: duration().default(100e6).describe('between two readings'),
  seeds: z
    .strictObject({
      schedule: seed.optional(),
      samples: seed.optional(),
      library: seed.optional().describe('MLPerf’s qsl_rng_seed: samples are drawn as LoadGen draws them'),
      order: seed.optional(),
      bootstrap: seed.optional(),
    })
    .default({}),
});

/** One of a system's replicas. */
const replicaSchema = z.strictObject({
  weight: z.number().int().min(1).max(1000).default(1),
  model: z.record(z.string(), z.unknown()).default({}).describe('options of this replica’s model beside the system’s'),
});

/** `gateway` of a system. */
export const gatewaySchema = z.strictObject({
  ...balancingSchema.shape,
  program: z
    .enum(['servemark', 'nginx', 'haproxy'])
    .default('servemark')
    .describe('the built-in gateway, or another program where it is installed'),
  seed: z.number().int().nonnegative().default(1).describe('of the draws of random-two'),
  route: z
    .union([z.string(), z.looseObject({ name: z.string(), to: z.unknown() })])
    .default('all')
    .describe('{ name: ab | canary | shadow, to: another system, its options … }'),
});

/** `autoscaler` of a system. */
const autoscalerSchema = z.looseObject({
  name: z.string(),
  interval: duration().default(1e9).describe('between two looks'),
});

/** One of a server's further models: keys of a system and of its strategy, and how many of it. */
const hostedSchema = z.looseObject({
  copies: z.number().int().min(1).max(100).optional(),
  shared: z.boolean().optional(),
});
export type HostedEntry = z.output<typeof hostedSchema>;

const tensorMap = z.record(z.string().min(1), z.string().min(1));

/** `ensemble` of a system: Triton's ensemble_scheduling. */
const ensembleSchema = z.strictObject({
  at: z.enum(['server', 'client']).default('server').describe('who carries out the graph'),
  steps: z
    .array(
      z.strictObject({
        model: z.string().min(1),
        inputMap: tensorMap.describe('the model’s input → a tensor of the graph'),
        outputMap: tensorMap.describe('the model’s output → a tensor of the graph'),
      }),
    )
    .min(1)
    .max(100),
  outputs: z.array(z.string()).min(1).optional().describe('tensors of the answer; default: those that no step takes'),
  maxInflightRequests: z.number().int().min(0).default(0).describe('requests under way at most; 0: any'),
});
export type EnsembleChoice = z.output<typeof ensembleSchema>;

/** Keys of a system beside its strategy's own options. */
export const systemSchema = z.strictObject({
  strategy: z.string(),
  instances: z.number().int().min(1).max(64).optional(),
  isolation: z.enum(['thread', 'process']).default('thread'),
  model: modelSchema.optional(),
  models: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/), hostedSchema)
    .optional()
    .describe(
      'further models of the same server, by name: { strategy, its options, model, instances, copies }, or { shared: true, model } in the instances and under the strategy of the system',
    ),
  ensemble: ensembleSchema
    .optional()
    .describe(
      'a graph of the server’s models by tensor names; loads ask for it. at: client walks through it over the network',
    ),
  front: z
    .looseObject({ name: z.string() })
    .optional()
    .describe('a controller before its models: { name: modelmesh-lru | infaas | clipper-select, its options … }'),
  serverCpus: cpus.optional(),
  loadCpus: cpus.optional(),
  processing: z
    .enum(['server', 'client', 'none'])
    .optional()
    .describe(
      'where the processors of the model’s entry run, or none: tensors as they are; default: server, where it has any',
    ),
  requestLog: fraction({ most: '100%' })
    .optional()
    .describe('share of the requests that the server logs, one JSON line each, into requests.jsonl beside the records'),
  replicas: z
    .union([z.number().int().min(1).max(64), z.array(replicaSchema).min(1).max(64)])
    .optional()
    .describe('servers of this kind behind a gateway: how many, or one entry each'),
  gateway: gatewaySchema.optional().describe('how requests are spread over the replicas, and over another system’s'),
  autoscaler: autoscalerSchema
    .optional()
    .describe('a controller that changes the number of replicas while the load runs'),
  sweep: z
    .record(z.string(), z.array(z.unknown()).min(1))
    .optional()
    .describe('option → values; every combination becomes a system'),
});

/** Keys of a load beside its type's own options. */
export const loadSchema = z.strictObject({
  loadProcesses: loadProcesses.optional().describe('processes that share this load'),
  apart: z
    .enum(['alone', 'pairs'])
    .optional()
    .describe('of clients: also each alone, or each alone and every two together, as loads of their own'),
});

/** The `external` of a system: a server that is not ours. */
const externalSchema = z
  .strictObject({
    start: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('program and arguments, no shell; absent: it runs already'),
    needs: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('a command that must succeed, or the trials are skipped'),
    ready: z
      .string()
      .optional()
      .describe('a URL that answers 2xx when the server is ready; default: KServe’s own question'),
    stop: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGKILL']).default('SIGTERM'),
    url: z.string().optional().describe('for rest and rest-binary, like http://127.0.0.1:{port}'),
    grpc: z.string().optional().describe('host:port'),
    model: z.string().min(1).describe('the model’s name on that server'),
    cwd: z.string().default('.').describe('relative to the scenario file'),
    env: z.record(z.string(), z.string()).optional(),
    readyTimeout: duration().default(120e9),
    stopTimeout: duration().default(10e9),
  })
  .refine(({ url, grpc }) => url !== undefined || grpc !== undefined, 'needs a url or a grpc address');

/** Keys of a system that is an external server. */
export const externalSystemSchema = z.strictObject({
  external: externalSchema,
  model: modelSchema.optional(),
  serverCpus: cpus.optional(),
  loadCpus: cpus.optional(),
});
