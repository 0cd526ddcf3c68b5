import { samplesNamed } from '../../clients/samples/index.js';
import { messageOf, UserError } from '../../results/errors.js';
import type { Datatype, Tensor } from '../../servers/protocol/index.js';
import type { Runtime, RuntimeTensor } from '../../servers/runtimes/index.js';
import { elementTypeOf } from './dtypes.js';
import type { OnnxModel } from './model.js';
import type { NodeProto } from './proto/onnx_pb.js';
import { joinSamples, withSession } from './session.js';

/** What a value of the graph is like when the model runs. */
export interface ProbedValue {
  readonly datatype: Datatype;
  /** ONNX's data type. */
  readonly elementType: number;
  /** With one row; −1 where the dimension grows with the rows (it is then a multiple of them: see `perRow`). */
  readonly shape: readonly number[];
  /** Elements that each further row adds; 0 where the value does not depend on the rows. */
  readonly perRow: number;
  /** Elements with no row at all; what all rows share. */
  readonly fixed: number;
}

export interface Probe {
  readonly values: ReadonlyMap<string, ProbedValue>;
  /** The shape of one row's inputs, as it was run. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Rows of the two runs that were compared; equal where the batch dimension is fixed. */
  readonly rows: readonly [number, number];
}

/**
 * Types and shapes of every value, asked of the runtime: the model runs on made-up rows, twice with another number of
 * them, and what differs depends on the rows. Dynamic dimensions other than the first get one of a few likely sizes.
 * Throws UserError where the model runs with none of them; `dims` then says what it takes.
 */
export async function probeModel(model: OnnxModel, dims?: Readonly<Record<string, readonly number[]>>): Promise<Probe> {
  const names = model.graph.node.filter(isTensorMaker).flatMap(({ output }) => output.filter((name) => name !== ''));
  return withSession(model, names, async (runtime) => {
    const isDynamic = runtime.metadata.inputs.every(({ shape }) => shape[0] === -1);
    const rows: [number, number] = isDynamic ? [2, 3] : [1, 1];
    const [first, second, inputs] = await runTwice(runtime, rows, candidates(model, runtime, dims));
    const later = new Map(second.map((tensor) => [tensor.name, tensor]));
    return {
      rows,
      inputs,
      values: new Map(first.map((tensor) => [tensor.name, compare(tensor, later.get(tensor.name)!, rows)])),
    };
  });
}

/** Sizes to try for a dynamic dimension that is not the batch: a sequence; an image's side. */
const LENGTHS = [8, 32, 64, 224, 1] as const;
const SIDES = [224, 64, 32, 8, 1] as const;

type Dims = Readonly<Record<string, readonly number[]>>;

/** Shapes of one row's inputs, likely ones first; only what `dims` says where it says something. */
function candidates(model: OnnxModel, { metadata }: Runtime, dims: Dims | undefined): Dims[] {
  const open = metadata.inputs.filter(({ shape, name }) => shape.slice(1).includes(-1) && dims?.[name] === undefined);
  const sizes = open.length === 0 ? [1] : open.some(({ shape }) => shape.length === 4) ? SIDES : LENGTHS;
  const batch = batchNames(model);
  return sizes.map((size) =>
    Object.fromEntries(
      metadata.inputs.map(({ name, shape }) => {
        const symbols = symbolsOf(model, name);
        const sized = shape.map((dim, axis) =>
          dim >= 0 ? dim : axis === 0 || batch.has(symbols[axis] ?? '') ? 1 : size,
        );
        return [name, dims?.[name] ?? sized];
      }),
    ),
  );
}

/** Names of first dimensions: where one stands elsewhere, it is the batch too. */
function batchNames(model: OnnxModel): Set<string> {
  return new Set(model.graph.input.map(({ name }) => symbolsOf(model, name)[0] ?? '').filter((name) => name !== ''));
}

function symbolsOf(model: OnnxModel, name: string): string[] {
  const type = model.graph.input.find((input) => input.name === name)?.type?.value;
  if (type?.case !== 'tensorType') return [];
  return type.value.shape?.dim.map(({ value }) => (value.case === 'dimParam' ? value.value : '')) ?? [];
}

async function runTwice(
  runtime: Runtime,
  rows: readonly [number, number],
  shapes: readonly Dims[],
): Promise<[RuntimeTensor[], RuntimeTensor[], Dims]> {
  let refusal: unknown;
  for (const dims of shapes) {
    try {
      const samples = await madeUp(runtime, Math.max(...rows), dims);
      const run = async (count: number) => {
        const inputs = joinSamples(samples.slice(0, count));
        return [...inputs, ...(await runtime.execute(inputs, count))];
      };
      return [await run(rows[0]), await run(rows[1]), dims];
    } catch (error) {
      refusal ??= error;
    }
  }
  throw new UserError(
    {
      place: 'a trial run on made-up inputs',
      found: messageOf(refusal).trim().split('\n')[0]!,
      remedy: 'Say with --dims what shapes the inputs take (--dims input=32,224)',
    },
    { cause: refusal },
  );
}

/** `rows` made-up rows of the shapes that a probe found to work. */
export async function probeInputs(runtime: Runtime, probe: Probe, rows: number): Promise<RuntimeTensor[]> {
  return joinSamples(await madeUp(runtime, rows, probe.inputs));
}

async function madeUp({ metadata }: Runtime, count: number, dims: Dims): Promise<(readonly Tensor[])[]> {
  const model = { name: 'probe', platform: 'onnxruntime_onnx', inputs: metadata.inputs, outputs: metadata.outputs };
  const library = await samplesNamed('random').create({ metadata: model, seed: 1n, count, dims });
  return Array.from({ length: Math.min(count, library.totalSampleCount) }, (_, i) => library.inputs(i));
}

function compare(a: RuntimeTensor, b: RuntimeTensor, rows: readonly [number, number]): ProbedValue {
  const [few, many] = [product(a.shape), product(b.shape)];
  const step = rows[1] - rows[0];
  const perRow = step === 0 ? 0 : (many - few) / step;
  return {
    datatype: a.datatype,
    elementType: elementTypeOf(a.datatype),
    shape: a.shape.map((dim, axis) => (dim === b.shape[axis] ? dim : -1)),
    perRow,
    fixed: few - perRow * rows[0],
  };
}

/** Sequences and optional values are no tensors: the runtime's binding can't hand them out. */
function isTensorMaker({ opType }: NodeProto): boolean {
  return !/Sequence|Optional|^(If|Loop|Scan)$/.test(opType) || opType === 'ConcatFromSequence';
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
