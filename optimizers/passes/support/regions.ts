import { consumersOf, outputsOf } from '../../onnx/graph.js';
import { elementsOf, type OnnxModel } from '../../onnx/model.js';
import type { NodeProto } from '../../onnx/proto/onnx_pb.js';
import type { DenseLayer } from './dense.js';

/** Two dense layers whose hidden units nothing else sees: the first's outputs, through elementwise operators, feed the others. */
export interface HiddenRegion {
  readonly first: DenseLayer;
  /** Layers that read the hidden values; usually one. */
  readonly seconds: readonly DenseLayer[];
  /** The elementwise nodes between, in graph order. */
  readonly between: readonly NodeProto[];
  /** What the second layers read. */
  readonly hidden: string;
}

const ELEMENTWISE = new Set(
  (
    'Relu LeakyRelu Sigmoid Tanh Gelu Erf Elu Selu Softplus Softsign HardSigmoid HardSwish Clip Identity Mish Celu ThresholdedRelu ' +
    'Exp Neg Abs Sqrt Dropout Mul Add Div Sub Pow QuickGelu FastGelu BiasGelu'
  ).split(' '),
);

/**
 * Every such region. Operands from outside must be single numbers: anything wider ties hidden units to places. GELU spelt
 * out (Div, Erf, Add, Mul) counts as elementwise.
 */
export function hiddenRegions(model: OnnxModel, layers: readonly DenseLayer[]): HiddenRegion[] {
  const consumers = consumersOf(model);
  const outputs = outputsOf(model);
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  return layers.flatMap((first) => {
    const region = grow(model, first, consumers, outputs, byNode);
    return region ? [region] : [];
  });
}

function grow(
  model: OnnxModel,
  first: DenseLayer,
  consumers: ReadonlyMap<string, readonly NodeProto[]>,
  outputs: ReadonlySet<string>,
  byNode: ReadonlyMap<NodeProto, DenseLayer>,
): HiddenRegion | undefined {
  const inside = new Set([first.output]);
  const between = new Set<NodeProto>();
  const seconds = new Set<DenseLayer>();
  const open = [first.output];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const users = consumers.get(value) ?? [];
    if (outputs.has(value) || users.length === 0) return undefined;
    for (const user of users) {
      const layer = byNode.get(user);
      if (layer !== undefined && layer.input === value) {
        seconds.add(layer);
        continue;
      }
      if (!ELEMENTWISE.has(user.opType) || user.output.length > 1) return undefined;
      if (between.has(user)) continue;
      between.add(user);
      inside.add(user.output[0]!);
      open.push(user.output[0]!);
    }
  }
  const closed = [...between].every(({ input }) =>
    input.every((name) => name === '' || inside.has(name) || isNumber(model, name)),
  );
  const hidden = [...seconds].map(({ input }) => input);
  if (!closed || seconds.size === 0 || new Set(hidden).size > 1) return undefined;
  const inOrder = model.graph.node.filter((each) => between.has(each));
  return { first, seconds: [...seconds], between: inOrder, hidden: hidden[0]! };
}

function isNumber(model: OnnxModel, name: string): boolean {
  const constant = model.initializers.get(name);
  return constant !== undefined && elementsOf(constant) === 1;
}
