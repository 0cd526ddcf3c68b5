import { create } from '@bufbuild/protobuf';
import { addConstants, node, valueInfo } from '../onnx/build.js';
import { emptyModel, initializer, type OnnxModel } from '../onnx/model.js';
import { StringStringEntryProtoSchema } from '../onnx/proto/onnx_pb.js';
import type { Dense } from './dense.js';

type Layer = Pick<Dense, 'weights' | 'bias' | 'inputs' | 'outputs'>;

/**
 * The net as an ONNX graph of Gemm and Relu: `x` FP32 [N, widths[0]] → `logits` FP32 [N, classes], N symbolic, or under
 * other names. Columns that pad the last layer are left out.
 */
export function toOnnx(
  name: string,
  layers: readonly Layer[],
  widths: readonly number[],
  metadata: Readonly<Record<string, string>>,
  names: { readonly input: string; readonly output: string } = { input: 'x', output: 'logits' },
): OnnxModel {
  const last = layers.length - 1;
  const input = (i: number) => (i === 0 ? names.input : `relu${i - 1}`);
  const output = (i: number) => (i === last ? names.output : `dense${i}`);
  const model = emptyModel(name, 17);
  model.head.metadataProps = Object.entries(metadata).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  model.graph.input.push(valueInfo(names.input, ['N', widths[0]!]));
  model.graph.output.push(valueInfo(names.output, ['N', widths.at(-1)!]));
  for (const [i, layer] of layers.entries()) {
    addConstants(
      model,
      initializer(`weights${i}`, [widths[i]!, widths[i + 1]!], block(layer, widths[i]!, widths[i + 1]!)),
      initializer(`bias${i}`, [widths[i + 1]!], layer.bias.slice(0, widths[i + 1]!)),
    );
    model.graph.node.push(node('Gemm', [input(i), `weights${i}`, `bias${i}`], [output(i)]));
    if (i < last) model.graph.node.push(node('Relu', [output(i)], [input(i + 1)]));
  }
  for (const [i, each] of model.graph.node.entries()) each.name = `${each.opType}_${i}`;
  return model;
}

/** The first rows and columns of the weights, without their padding. */
function block({ weights, outputs }: Layer, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const row = Math.floor(at / columns);
    return weights[row * outputs + (at - row * columns)]!;
  });
}
