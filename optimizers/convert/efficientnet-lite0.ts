import { addConstants, node, valueInfo } from '../onnx/build.js';
import { emptyModel, initializer, type OnnxModel } from '../onnx/model.js';
import { readTorch, type TorchTensor } from './torch.js';

/** Blocks of each stage, and the stride of its first one. Source: TensorFlow's efficientnet-lite0. */
const REPEATS = [1, 2, 2, 3, 3, 4, 1];
const STRIDES = [1, 2, 2, 2, 1, 2, 1];
/** Of its batch normalisation. */
const EPSILON = 1e-3;

/**
 * EfficientNet-Lite0 of a PyTorch checkpoint as ONNX, operator set 17: images f32[N,3,224,224] → logits f32[N,1000]. Batch
 * normalisation is folded into the convolutions; padding is TensorFlow's SAME; activations are clipped to 0…6.
 */
export function efficientnetLite0(path: string): OnnxModel {
  const net = new Net(readTorch(path));
  let value = net.convolve('images', '_conv_stem', '_bn0', { stride: 2, clip: true });
  const strides = REPEATS.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => (i === 0 ? STRIDES[stage]! : 1)),
  );
  const firsts = REPEATS.flatMap((count) => Array.from({ length: count }, (_, i) => i === 0));
  for (const [block, stride] of strides.entries()) {
    const name = (part: string) => `_blocks.${block}.${part}`;
    const before = value;
    if (net.has(`${name('_expand_conv')}.weight`))
      value = net.convolve(value, name('_expand_conv'), name('_bn0'), { stride: 1, clip: true });
    value = net.convolve(value, name('_depthwise_conv'), name('_bn1'), { stride, clip: true });
    value = net.convolve(value, name('_project_conv'), name('_bn2'), { stride: 1, clip: false });
    if (!firsts[block]) value = net.add('Add', [value, before]);
  }
  value = net.convolve(value, '_conv_head', '_bn1', { stride: 1, clip: true });
  value = net.add('Flatten', [net.add('GlobalAveragePool', [value])], { axis: 1n });
  return net.finish(value);
}

class Net {
  readonly #model = emptyModel('efficientnet-lite0', 17);
  #count = 0;

  constructor(private readonly weights: ReadonlyMap<string, TorchTensor>) {
    addConstants(this.#model, initializer('zero', [], Float32Array.of(0)), initializer('six', [], Float32Array.of(6)));
  }

  has(name: string): boolean {
    return this.weights.has(name);
  }

  add(operator: string, inputs: readonly string[], attributes: Parameters<typeof node>[3] = {}): string {
    const name = `${operator.toLowerCase()}_${++this.#count}`;
    this.#model.graph.node.push(node(operator, inputs, [name], attributes));
    return name;
  }

  /** A convolution and the normalisation behind it in one: w·γ/√(σ²+ε), β − μ·γ/√(σ²+ε). */
  convolve(from: string, name: string, norm: string, { stride, clip }: { stride: number; clip: boolean }): string {
    const { shape, values } = this.#get(`${name}.weight`);
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => this.#get(`${norm}.${part}`).values,
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const [outputs, , height, width] = shape as [number, number, number, number];
    const scale = gamma.map((value, i) => value / Math.sqrt(variance[i]! + EPSILON));
    const each = values.length / outputs;
    const folded = values.map((value, i) => value * scale[Math.floor(i / each)]!);
    const bias = beta.map((value, i) => value - mean[i]! * scale[i]!);
    addConstants(
      this.#model,
      initializer(`${name}.weight`, shape, folded),
      initializer(`${name}.bias`, [outputs], Float32Array.from(bias)),
    );
    const groups = shape[1] === 1 && outputs > 1 ? outputs : 1;
    const made = this.add('Conv', [from, `${name}.weight`, `${name}.bias`], {
      auto_pad: 'SAME_UPPER',
      group: BigInt(groups),
      kernel_shape: [BigInt(height), BigInt(width)],
      strides: [BigInt(stride), BigInt(stride)],
    });
    return clip ? this.add('Clip', [made, 'zero', 'six']) : made;
  }

  /** The classifier behind `value`. */
  finish(value: string): OnnxModel {
    const { graph } = this.#model;
    const [weight, bias] = [this.#get('_fc.weight'), this.#get('_fc.bias')];
    addConstants(
      this.#model,
      initializer('_fc.weight', weight.shape, weight.values),
      initializer('_fc.bias', bias.shape, bias.values),
    );
    graph.node.push(node('Gemm', [value, '_fc.weight', '_fc.bias'], ['logits'], { transB: 1n }));
    graph.input.push(valueInfo('images', ['N', 3, 224, 224]));
    graph.output.push(valueInfo('logits', ['N', weight.shape[0]!]));
    return this.#model;
  }

  #get(name: string): TorchTensor {
    const found = this.weights.get(name);
    if (found === undefined) throw new Error(`the checkpoint has no ${name}`);
    return found;
  }
}
