import type { OnnxModel } from '../onnx/writer.js';
import type { Dense } from './dense.js';

/**
 * The net as an ONNX graph of Gemm and Relu: `x` FP32 [N, widths[0]] → `logits` FP32 [N, classes], N symbolic. Columns
 * that pad the last layer are left out.
 */
export function toOnnx(
  name: string,
  layers: readonly Pick<Dense, 'weights' | 'bias' | 'inputs' | 'outputs'>[],
  widths: readonly number[],
  metadata: Readonly<Record<string, string>>,
): OnnxModel {
  const last = layers.length - 1;
  const input = (i: number) => (i === 0 ? 'x' : `relu${i - 1}`);
  const output = (i: number) => (i === last ? 'logits' : `dense${i}`);
  return {
    name,
    opset: 17,
    producer: 'servemark',
    inputs: [{ name: 'x', shape: ['N', widths[0]!] }],
    outputs: [{ name: 'logits', shape: ['N', widths.at(-1)!] }],
    nodes: layers.flatMap((_, i) => [
      { operator: 'Gemm', inputs: [input(i), `weights${i}`, `bias${i}`], outputs: [output(i)] },
      ...(i === last ? [] : [{ operator: 'Relu', inputs: [output(i)], outputs: [input(i + 1)] }]),
    ]),
    constants: layers.flatMap((layer, i) => [
      { name: `weights${i}`, shape: [widths[i]!, widths[i + 1]!], values: columns(layer, widths[i + 1]!) },
      { name: `bias${i}`, shape: [widths[i + 1]!], values: layer.bias.slice(0, widths[i + 1]!) },
    ]),
    metadata,
  };
}

/** The first `used` columns of the weights. */
function columns(
  { weights, inputs, outputs }: Pick<Dense, 'weights' | 'inputs' | 'outputs'>,
  used: number,
): Float32Array {
  return Float32Array.from({ length: inputs * used }, (_, at) => {
    const row = Math.floor(at / used);
    return weights[row * outputs + (at - row * used)]!;
  });
}
