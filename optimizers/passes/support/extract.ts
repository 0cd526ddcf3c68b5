import { copyValueInfo, valueInfo } from '../../onnx/build.js';
import { outputsOf, producersOf, usedBy } from '../../onnx/graph.js';
import { cloneModel, type OnnxModel } from '../../onnx/model.js';
import type { Probe } from '../../onnx/probe.js';
import type { NodeProto, ValueInfoProto } from '../../onnx/proto/onnx_pb.js';

/** A model of some of a model's nodes: its inputs are what they take from outside. */
export interface Extract {
  readonly model: OnnxModel;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Cuts nodes out (in graph order) into a model of their own; its outputs are `wanted`, or what others need of them. */
export function extract(
  model: OnnxModel,
  nodes: ReadonlySet<NodeProto>,
  describe: (name: string) => ValueInfoProto,
  wanted: ReadonlySet<string> = needed(model, nodes),
): Extract {
  const chosen = model.graph.node.filter((node) => nodes.has(node));
  const made = new Set(chosen.flatMap(({ output }) => output));
  const used = [...new Set(chosen.flatMap(usedBy))];
  const inputs = used.filter((name) => !made.has(name) && !model.initializers.has(name));
  const outputs = [...made].filter((name) => wanted.has(name));
  const constants = used.flatMap((name) => {
    const constant = model.initializers.get(name);
    return constant ? [[name, constant] as const] : [];
  });
  const part = cloneModel({ ...model, graph: { ...model.graph, node: chosen }, initializers: new Map(constants) });
  part.graph.input = inputs.map(describe);
  part.graph.output = outputs.map(describe);
  part.graph.valueInfo = [];
  return { model: part, inputs, outputs };
}

/** What nodes outside, or the graph's outputs, take. */
function needed(model: OnnxModel, nodes: ReadonlySet<NodeProto>): Set<string> {
  const found = outputsOf(model);
  for (const node of model.graph.node) if (!nodes.has(node)) for (const name of usedBy(node)) found.add(name);
  return found;
}

/** The nodes on the way from `from` (values at which to stop) to `to`. */
export function nodesBetween(model: OnnxModel, from: ReadonlySet<string>, to: readonly string[]): Set<NodeProto> {
  const producers = producersOf(model);
  const found = new Set<NodeProto>();
  const open = [...to];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = from.has(name) ? undefined : producers.get(name);
    if (node === undefined || found.has(node)) continue;
    found.add(node);
    open.push(...usedBy(node));
  }
  return found;
}

/**
 * Descriptions of values for the edges of parts: inputs and outputs of the whole as they are; inner values by what a trial
 * run found, the batch dimension `N`. Where the whole has other dynamic dimensions, sizes of inner values stay open.
 */
export function describer(model: OnnxModel, probe: Probe): (name: string) => ValueInfoProto {
  const own = new Map([...model.graph.input, ...model.graph.output].map((value) => [value.name, value]));
  const exact = model.graph.input.every((value) => fixedBehindFirst(value));
  return (name) => {
    const known = own.get(name);
    if (known) return copyValueInfo(known);
    const value = probe.values.get(name)!;
    const dims = value.shape.map((dim, axis) => {
      if (dim === -1) return axis === 0 && isBatch(value) ? 'N' : `${name}_${axis}`;
      return exact ? dim : `${name}_${axis}`;
    });
    return valueInfo(name, dims, value.elementType);
  };
}

/** True where one row more is one more in the dimension that grows. */
function isBatch({ shape, perRow, fixed }: Probe['values'] extends ReadonlyMap<string, infer V> ? V : never): boolean {
  return fixed === 0 && perRow === shape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
}

function fixedBehindFirst({ type }: ValueInfoProto): boolean {
  const dims = type?.value.case === 'tensorType' ? (type.value.value.shape?.dim ?? []) : [];
  return dims.slice(1).every(({ value }) => value.case === 'dimValue');
}
