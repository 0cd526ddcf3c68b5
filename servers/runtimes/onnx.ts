import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-node';
import { z } from 'zod';
import { messageOf, UserError } from '../../results/errors.js';
import type { TensorMetadata } from '../protocol/index.js';
import { defineRuntime, type Runtime, type RuntimeMetadata, type RuntimeTensor } from './contract.js';
import { datatypeOf, ELEMENTS, elementOf, fromStrings, ownBuffer, toStrings } from './onnx-types.js';

type Ort = typeof import('onnxruntime-node');

const options = z.strictObject({
  /** Threads of one instance's session. */
  intraOpNumThreads: z.number().int().positive().default(1),
  /** Pool threads that wait by spinning: faster alone, harmful beside others. */
  allowSpinning: z.boolean().default(false),
  graphOptimizationLevel: z.enum(['disabled', 'basic', 'extended', 'layout', 'all']).default('all'),
  /** In order of preference: `cpu`, `cuda`, `webgpu`, `tensorrt`. */
  executionProviders: z.array(z.string().min(1)).min(1).default(['cpu']),
  /** Of the providers that have several, such as `cuda`; default: the provider's own choice. */
  deviceId: z.number().int().nonnegative().optional(),
  /** From what on ONNX Runtime prints to standard error; errors are thrown in any case. */
  logSeverity: z.enum(['warning', 'error', 'fatal']).default('error'),
  /** Writes a Chrome trace of every operator's executions as `<prefix>_<date>.json`; costs time. */
  profilePrefix: z.string().min(1).optional(),
});

const SEVERITIES = { warning: 2, error: 3, fatal: 4 } as const;

type Options = z.output<typeof options>;

/** An ONNX model in ONNX Runtime. A session blocks its thread: one runtime a worker. */
export const onnx = defineRuntime({
  name: 'onnx',
  summary: 'ONNX Runtime on the CPU, or on the execution providers asked for',
  options,
  create: async (modelPath, parsed) => {
    if (modelPath === undefined) throw new UserError({ place: 'model', found: 'the onnx runtime needs a model file' });
    // Lazily: whoever only lists runtimes does not pay for a native library.
    const ort = await import('onnxruntime-node');
    const session = await open(ort, modelPath, parsed);
    const metadata = metadataOf(session, modelPath, parsed.executionProviders);
    return new OnnxRuntime(ort, session, metadata, parsed.profilePrefix !== undefined);
  },
});

class OnnxRuntime implements Runtime {
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  readonly metadata: RuntimeMetadata;

  constructor(
    ort: Ort,
    session: InferenceSession,
    metadata: RuntimeMetadata,
    private readonly profiles: boolean,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.metadata = metadata;
  }

  async execute(
    inputs: readonly RuntimeTensor[],
    _rows: number,
    outputs?: readonly string[],
  ): Promise<RuntimeTensor[]> {
    const feeds: Record<string, Tensor> = {};
    for (const input of inputs) feeds[input.name] = toOrt(this.#ort, input);
    const results = await (outputs ? this.#session.run(feeds, outputs) : this.#session.run(feeds));
    const wanted = this.metadata.outputs.filter(({ name }) => outputs === undefined || outputs.includes(name));
    return wanted.map((spec) => fromOrt(spec, results[spec.name] as Tensor));
  }

  async close(): Promise<void> {
    if (this.profiles) this.#session.endProfiling();
    await this.#session.release();
  }
}

function toOrt(ort: Ort, { datatype, shape, buffer }: RuntimeTensor): Tensor {
  const element = elementOf(datatype);
  if (element === 'string') return new ort.Tensor('string', toStrings(buffer), shape);
  if (element === undefined) throw new Error(`ONNX Runtime's Node binding has no ${datatype}`);
  const values = ELEMENTS[element]!.view(buffer) as Float32Array;
  return new ort.Tensor(element as 'float32', values, shape);
}

function fromOrt({ name, datatype }: TensorMetadata, tensor: Tensor): RuntimeTensor {
  const buffer =
    datatype === 'BYTES'
      ? fromStrings((tensor as TypedTensor<'string'>).data)
      : ownBuffer((tensor as TypedTensor<'float32'>).data);
  return { name, datatype, shape: tensor.dims, buffer };
}

async function open(ort: Ort, path: string, parsed: Options): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(path, {
      intraOpNumThreads: parsed.intraOpNumThreads,
      graphOptimizationLevel: parsed.graphOptimizationLevel,
      executionProviders: providersOf(parsed),
      logSeverityLevel: SEVERITIES[parsed.logSeverity],
      ...(parsed.profilePrefix && { enableProfiling: true, profileFilePrefix: parsed.profilePrefix }),
      extra: { session: { intra_op: { allow_spinning: parsed.allowSpinning ? '1' : '0' } } },
    });
  } catch (error) {
    throw refusal(ort, path, parsed, messageOf(error), error);
  }
}

/** The CPU has no devices to choose from. */
function providersOf({ executionProviders, deviceId }: Options): InferenceSession.ExecutionProviderConfig[] {
  return executionProviders.map((name) => (name === 'cpu' || deviceId === undefined ? name : { name, deviceId }));
}

/** Whether the provider or the file is to blame: the same file loads on the CPU or does not. */
function refusal(ort: Ort, path: string, parsed: Options, message: string, cause: unknown): UserError {
  const found = message.trim().split('\n')[0]!;
  const others = parsed.executionProviders.filter((provider) => provider !== 'cpu');
  if (others.length === 0 || /protobuf|load model|invalid model/i.test(found))
    return new UserError(
      { place: path, found: `ONNX Runtime cannot load it: ${found}`, remedy: 'Check the file, e.g. with onnx.checker' },
      { cause },
    );
  const bundled = ort.listSupportedBackends().filter((backend) => backend.bundled);
  return new UserError(
    {
      place: 'executionProviders',
      found: `${others.join(', ')} does not start on this machine: ${found}`,
      allowed: `bundled here are ${bundled.map((backend) => backend.name).join(', ')}`,
      remedy: '`servemark doctor` says what is missing; or use executionProviders: [cpu]',
    },
    { cause },
  );
}

function metadataOf(session: InferenceSession, path: string, providers: readonly string[]): RuntimeMetadata {
  const describe = (value: InferenceSession.ValueMetadata) => tensorMetadata(value, path);
  return {
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    inputs: session.inputMetadata.map(describe),
    outputs: session.outputMetadata.map(describe),
    providers,
  };
}

/** Symbolic and unknown dimensions become −1. */
function tensorMetadata(value: InferenceSession.ValueMetadata, path: string): TensorMetadata {
  const type = value.isTensor ? value.type : 'no tensor';
  const datatype = datatypeOf(type);
  if (!value.isTensor || datatype === undefined)
    throw new UserError({
      place: `${path} "${value.name}"`,
      found: `its type ${type} has no counterpart in the v2 protocol`,
      allowed: 'tensors of numbers, booleans and strings',
    });
  return {
    name: value.name,
    datatype,
    shape: value.shape.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : -1)),
  };
}
