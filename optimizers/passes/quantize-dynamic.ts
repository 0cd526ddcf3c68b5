import { z } from 'zod';
import { addConstants, importDomain, MICROSOFT, node } from '../onnx/build.js';
import { nameSource } from '../onnx/graph.js';
import { initializer, type OnnxModel } from '../onnx/model.js';
import { type NodeProto, TensorProto_DataType } from '../onnx/proto/onnx_pb.js';
import { definePass } from './contract.js';
import { type DenseLayer, denseLayers, substitute } from './support/dense.js';
import { finished, needOpset, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { quantizeColumns } from './support/quantize.js';

const options = z.strictObject({
  /** `onnx`: DynamicQuantizeLinear and MatMulInteger, for any runtime; `microsoft`: one DynamicQuantizeMatMul. */
  form: z.enum(['onnx', 'microsoft']).default('microsoft'),
  /** Weights use 7 bits: for CPUs whose 8-bit products saturate (x86 without VNNI). */
  reduceRange: z.boolean().default(false),
});

type Options = z.output<typeof options>;

/**
 * int8 weights with a scale a column; activations are quantised as they come (uint8, one scale a batch). Source: ONNX
 * Runtime's `quantize_dynamic`; ONNX DynamicQuantizeLinear, MatMulInteger; com.microsoft DynamicQuantizeMatMul.
 */
export const quantizeDynamic = definePass({
  name: 'quantize-dynamic',
  summary: 'int8 weights by column, activations quantised at run time; matrix products only',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    needOpset(original, 11, 'quantize-dynamic', context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const { layers, left } = denseLayers(model);
    if (layers.length === 0)
      throw nothingToDo('quantize-dynamic', 'matrix product with constant weights', left, context);
    if (parsed.form === 'microsoft') importDomain(model, MICROSOFT, 1);
    const write = writer(model, parsed);
    for (const layer of layers) substitute(model, layer.nodes, write(layer));
    return finished(prepared, { layers: layers.length, form: parsed.form }, left);
  },
});

/** Nodes for one layer after the other; weights and quantised inputs that layers share are written once. */
function writer(model: OnnxModel, { form, reduceRange }: Options): (layer: DenseLayer) => NodeProto[] {
  const fresh = nameSource(model);
  const weights = new Map<string, { values: string; scales: string }>();
  const inputs = new Map<string, readonly [string, string, string]>();

  const quantized = (layer: DenseLayer) => {
    const { name } = layer.weight.header;
    const key = `${name} ${layer.node.attribute.map((each) => `${each.name}${each.i}${each.f}`)}`;
    const known = weights.get(key);
    if (known) return known;
    const { values, scales } = quantizeColumns(layer.weights(), layer.k, layer.n, reduceRange ? 63 : 127);
    const names = { values: fresh(`${name}_quantized`), scales: fresh(`${name}_scale`) };
    addConstants(
      model,
      initializer(names.values, [layer.k, layer.n], values),
      initializer(names.scales, [layer.n], scales),
    );
    weights.set(key, names);
    return names;
  };

  const bias = (layer: DenseLayer): string | undefined => {
    const values = layer.bias();
    if (values === undefined) return undefined;
    const name = fresh(`${layer.output}_bias`);
    addConstants(model, initializer(name, [layer.n], values));
    return name;
  };

  const microsoft = (layer: DenseLayer): NodeProto[] => {
    const { values, scales } = quantized(layer);
    const added = bias(layer);
    const operands = [layer.input, values, scales, ...(added ? ['', added] : [])];
    return [node('DynamicQuantizeMatMul', operands, [layer.output], {}, MICROSOFT)];
  };

  const standard = (layer: DenseLayer): NodeProto[] => {
    const { values, scales } = quantized(layer);
    const nodes: NodeProto[] = [];
    let input = inputs.get(layer.input);
    if (input === undefined) {
      const base = fresh(`${layer.input}_quantized`);
      input = [base, fresh(`${base}_scale`), fresh(`${base}_zero`)];
      inputs.set(layer.input, input);
      nodes.push(node('DynamicQuantizeLinear', [layer.input], [...input]));
    }
    const [x, scale, zero] = input;
    const name = (what: string) => fresh(`${layer.output}_${what}`);
    const [sums, real, factor] = [name('sums'), name('real'), name('factor')];
    const added = bias(layer);
    const product = added ? name('product') : layer.output;
    nodes.push(
      node('MatMulInteger', [x, values, zero], [sums]),
      node('Cast', [sums], [real], { to: BigInt(TensorProto_DataType.FLOAT) }),
      node('Mul', [scale, scales], [factor]),
      node('Mul', [real, factor], [product]),
    );
    if (added) nodes.push(node('Add', [product, added], [layer.output]));
    return nodes;
  };

  return form === 'microsoft' ? microsoft : standard;
}
