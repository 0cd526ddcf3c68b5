import { messageOf, type Problem } from '../../results/errors.js';
import { checkModel } from './check.js';
import { hoistConstants } from './constants.js';
import { byteLength, typeName } from './dtypes.js';
import { flopsOf } from './flops.js';
import { innerGraphs } from './graph.js';
import { cloneModel, dimsOf, elementsOf, type OnnxModel } from './model.js';
import { type Probe, probeModel } from './probe.js';
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from './proto/onnx_pb.js';

/** What can be said of a model without serving it. Absent figures are null, with the reason in `unknown`. */
export interface Inspection {
  readonly schema: 1;
  readonly file: string;
  readonly producer: string;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: number;
  /** By operator, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  readonly parameters: number;
  readonly weightBytes: number;
  /** Of each further row where the batch is dynamic, else of one execution. */
  readonly flopsPerRow: number | null;
  readonly activationBytesPerRow: number | null;
  /** FLOPs a byte of memory traffic (weights once an execution, activations once a row) by rows. */
  readonly intensity: readonly { readonly rows: number; readonly flopsPerByte: number }[] | null;
  /** Shapes of one row's inputs for which these figures hold. */
  readonly measuredAt: Readonly<Record<string, readonly number[]>> | null;
  readonly batching: string;
  readonly unknown: string | null;
  readonly problems: readonly Problem[];
}

/** Looks at a model; runs it on made-up rows for shapes unless it is broken. Rows shown are those batching is about. */
export async function inspectOnnx(
  model: OnnxModel,
  file: string,
  dims?: Readonly<Record<string, readonly number[]>>,
): Promise<Inspection> {
  const problems = checkModel(model, file);
  const constants = allConstants(model);
  const weightBytes = sum(constants.map(({ bytes }) => bytes));
  const { cost, unknown } = await costOf(model, problems.length > 0 ? 'the graph is broken' : undefined, dims);
  return {
    schema: 1,
    file,
    producer: [model.head.producerName, model.head.producerVersion].filter((text) => text !== '').join(' '),
    irVersion: Number(model.head.irVersion),
    opsets: Object.fromEntries(model.head.opsetImport.map((set) => [set.domain || 'ai.onnx', Number(set.version)])),
    inputs: model.graph.input.filter(({ name }) => !model.initializers.has(name)).map(describeValue),
    outputs: model.graph.output.map(describeValue),
    nodes: model.graph.node.length,
    operators: countOperators(model.graph.node),
    parameters: sum(constants.map(({ elements }) => elements)),
    weightBytes,
    flopsPerRow: cost?.flops ?? null,
    activationBytesPerRow: cost?.activationBytes ?? null,
    intensity: cost && ROWS.map((rows) => ({ rows, flopsPerByte: intensityAt(rows, weightBytes, cost) })),
    measuredAt: cost?.inputs ?? null,
    batching: batchingSentence(cost, weightBytes, unknown),
    unknown: unknown ?? null,
    problems,
  };
}

const ROWS = [1, 8, 32, 128] as const;

interface Cost {
  readonly flops: number;
  readonly activationBytes: number;
  readonly dynamic: boolean;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

async function costOf(
  model: OnnxModel,
  broken: string | undefined,
  dims: Readonly<Record<string, readonly number[]>> | undefined,
): Promise<{ cost: Cost | null; unknown: string | undefined }> {
  if (broken !== undefined) return { cost: null, unknown: broken };
  try {
    const plain = hoistConstants(cloneModel(model));
    const probe = await probeModel(plain, dims);
    return { cost: measure(plain, probe), unknown: undefined };
  } catch (error) {
    return { cost: null, unknown: messageOf(error) };
  }
}

function measure(model: OnnxModel, probe: Probe): Cost {
  const dynamic = probe.rows[0] !== probe.rows[1];
  const bytesOf = (name: string) => {
    const value = probe.values.get(name);
    return value === undefined ? 0 : (byteLength(value.elementType, dynamic ? value.perRow : value.fixed) ?? 0);
  };
  const { node: nodes } = model.graph;
  return {
    flops: sum(nodes.map((node) => flopsPerRow(model, node, probe))),
    activationBytes: sum(nodes.flatMap(({ output }) => output.map(bytesOf))),
    dynamic,
    inputs: probe.inputs,
  };
}

/** Operations that one more row costs; of the whole execution where the batch is fixed. */
export function flopsPerRow(model: OnnxModel, node: NodeProto, probe: Probe): number {
  const at = (rows: number) => {
    const shape = (name: string) => shapeAt(model, probe, name, rows);
    return flopsOf(node, { inputs: node.input.map(shape), outputs: node.output.map(shape) }) ?? 0;
  };
  const [few, many] = probe.rows;
  return few === many ? at(few) : (at(many) - at(few)) / (many - few);
}

function shapeAt(model: OnnxModel, probe: Probe, name: string, rows: number): readonly number[] | undefined {
  const constant = model.initializers.get(name);
  if (constant) return dimsOf(constant);
  const value = probe.values.get(name);
  if (value === undefined) return undefined;
  // One dimension grows with the rows; it is what all elements leave for it.
  const others = value.shape.reduce((a, b) => (b === -1 ? a : a * b), 1);
  return value.shape.map((dim) => (dim === -1 ? (value.fixed + value.perRow * rows) / Math.max(1, others) : dim));
}

function intensityAt(rows: number, weightBytes: number, { flops, activationBytes, dynamic }: Cost): number {
  const count = dynamic ? rows : 1;
  return (flops * count) / Math.max(1, weightBytes + 2 * activationBytes * count);
}

function batchingSentence(cost: Cost | null, weightBytes: number, unknown: string | undefined): string {
  if (cost === null) return `unknown: ${unknown}`;
  if (!cost.dynamic) return 'none: the batch dimension is fixed; export the model with a dynamic one';
  const [one, many] = [intensityAt(1, weightBytes, cost), intensityAt(32, weightBytes, cost)];
  const figures = `${one.toFixed(1)} FLOPs a byte at 1 row, ${many.toFixed(1)} at 32`;
  if (many > 4 * one)
    return `much to gain: at 1 row the reading of the weights is most of the traffic, and a batch shares it (${figures})`;
  if (many > 1.5 * one) return `something to gain: rows share the reading of the weights (${figures})`;
  return `little to gain: each weight is already used many times a row (${figures}); batching helps where a device is idle, not its memory`;
}

/** `x FLOAT [N,784]`. */
function describeValue({ name, type }: ValueInfoProto): string {
  if (type?.value.case !== 'tensorType') return `${name} ${type?.value.case ?? 'of unknown type'}`;
  const { elemType, shape } = type.value.value;
  const dims = shape?.dim.map(({ value }) => (value.case === undefined ? '?' : String(value.value)));
  return `${name} ${typeName(elemType)} ${dims ? `[${dims.join(',')}]` : 'of any rank'}`;
}

function countOperators(nodes: readonly NodeProto[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { domain, opType } of nodes) {
    const name = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)));
}

/** Initialisers and Constant nodes' tensors, those of inner graphs included. */
function allConstants({ initializers, graph }: OnnxModel): { elements: number; bytes: number }[] {
  return [...initializers.values(), ...constantsInside(graph)].map((constant) => ({
    elements: elementsOf(constant),
    bytes: byteLength(constant.header.dataType, elementsOf(constant)) ?? 0,
  }));
}

function constantsInside(graph: GraphProto): { header: TensorProto }[] {
  return graph.node.flatMap((node) => [
    ...node.attribute.flatMap(({ t }) => (t && node.opType === 'Constant' ? [{ header: t }] : [])),
    ...innerGraphs(node).flatMap((inner) => [
      ...inner.initializer.map((header) => ({ header })),
      ...constantsInside(inner),
    ]),
  ]);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
