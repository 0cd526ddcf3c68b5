import type { GraphBuilder, Value } from './builder.js';
import type { TfjsWeight } from './reader.js';

/** What both kinds of tfjs models are made of, as ONNX: convolutions, pools, dense layers, normalisation, arithmetic. */

export interface Window {
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid' | readonly [top: number, left: number, bottom: number, right: number];
  readonly dilations?: readonly [number, number];
}

/** Kernel [H,W,in,out] → [out,in,H,W]. */
export function convolution(
  b: GraphBuilder,
  x: Value,
  kernel: TfjsWeight,
  bias: TfjsWeight | undefined,
  window: Window,
): Value {
  const [h, w, i, o] = kernel.shape as [number, number, number, number];
  const values = permuted(kernel, [3, 2, 0, 1]);
  return conv(b, x, { dims: [o, i, h, w], values }, bias, 1, window);
}

/** Kernel [H,W,C,M] → [C·M,1,H,W], one group a channel. */
export function depthwise(
  b: GraphBuilder,
  x: Value,
  kernel: TfjsWeight,
  bias: TfjsWeight | undefined,
  window: Window,
): Value {
  const [h, w, c, m] = kernel.shape as [number, number, number, number];
  const values = permuted(kernel, [2, 3, 0, 1]);
  return conv(b, x, { dims: [c * m, 1, h, w], values }, bias, c, window);
}

function conv(
  b: GraphBuilder,
  x: Value,
  kernel: { readonly dims: readonly number[]; readonly values: Float32Array },
  bias: TfjsWeight | undefined,
  group: number,
  window: Window,
): Value {
  const inputs = [b.channelsFirst(x).name, b.weights('kernel', kernel.dims, kernel.values)];
  if (bias) inputs.push(b.weights('bias', bias.shape, bias.values));
  const { dilations = [1, 1] } = window;
  return b.add(
    'Conv',
    inputs,
    { rank: 4, layout: 'channels-first' },
    {
      kernel_shape: kernel.dims.slice(2).map(BigInt),
      dilations: dilations.map(BigInt),
      group: BigInt(group),
      ...windowOf(window),
    },
  );
}

/** Padding does not count in an average, as in TensorFlow. */
export function pool(
  b: GraphBuilder,
  x: Value,
  kind: 'AveragePool' | 'MaxPool',
  size: readonly [number, number],
  window: Window,
): Value {
  const attributes = { kernel_shape: size.map(BigInt), ...windowOf(window) };
  return b.add(kind, [b.channelsFirst(x).name], { rank: 4, layout: 'channels-first' }, attributes);
}

/** Mean or maximum over height and width. */
export function globalPool(b: GraphBuilder, x: Value, kind: 'Average' | 'Max', keep: boolean): Value {
  const pooled = b.add(`Global${kind}Pool`, [b.channelsFirst(x).name], { rank: 4, layout: 'channels-first' });
  return keep ? pooled : flatten(b, pooled);
}

function windowOf({ strides, padding }: Window) {
  const common = { strides: strides.map(BigInt) };
  if (padding === 'same') return { ...common, auto_pad: 'SAME_UPPER' };
  return padding === 'valid' ? common : { ...common, pads: padding.map(BigInt) };
}

/** x·W (+ b) over the last dimension. */
export function dense(
  b: GraphBuilder,
  x: Value,
  kernel: TfjsWeight,
  bias: TfjsWeight | undefined,
  transposed = false,
): Value {
  const { name, rank } = b.plain(x);
  const W = b.weights('kernel', kernel.shape, kernel.values);
  const B = bias && b.weights('bias', bias.shape, bias.values);
  if (rank === 2) return b.add('Gemm', B ? [name, W, B] : [name, W], { rank }, transposed ? { transB: 1n } : {});
  if (transposed) throw b.refusal('a transposed product of more than two dimensions');
  const product = b.add('MatMul', [name, W], { rank });
  return B ? b.add('Add', [product.name, B], { rank }) : product;
}

/** As in inference: scale · (x − mean) / √(variance + ε) + offset. Scale and offset may be missing. */
export function batchNorm(
  b: GraphBuilder,
  x: Value,
  {
    scale,
    offset,
    mean,
    variance,
    epsilon,
  }: {
    scale?: TfjsWeight | undefined;
    offset?: TfjsWeight | undefined;
    mean: TfjsWeight;
    variance: TfjsWeight;
    epsilon: number;
  },
): Value {
  const factor = Float32Array.from(variance.values, (v, i) => (scale?.values[i] ?? 1) / Math.sqrt(v + epsilon));
  const shift = Float32Array.from(mean.values, (m, i) => (offset?.values[i] ?? 0) - m * factor[i]!);
  const shape = mean.shape;
  const scaled = binary(b, 'Mul', x, b.constant('factor', { shape, values: factor }));
  return binary(b, 'Add', scaled, b.constant('shift', { shape, values: shift }));
}

/** Broadcasting arithmetic; images stay as they lie where the other side is an image, a number, or one value a channel. */
export function binary(b: GraphBuilder, operator: string, left: Value, right: Value): Value {
  const rank = Math.max(left.rank, right.rank);
  const isImage = [left, right].some(({ layout }) => layout === 'channels-first');
  const fits = ({ layout, rank: own, constant }: Value) =>
    layout === 'channels-first' || own === 4 || (constant !== undefined && own <= 1);
  if (!isImage || !fits(left) || !fits(right))
    return b.add(operator, [b.plain(left).name, b.plain(right).name], { rank });
  const side = (value: Value): string => {
    const { constant } = value;
    if (constant === undefined || value.rank === 4) return b.channelsFirst(value).name;
    const channels = constant.values.length;
    return b.weights(value.name, value.rank === 0 ? [] : [1, channels, 1, 1], constant.values);
  };
  return b.add(operator, [side(left), side(right)], { rank: 4, layout: 'channels-first' });
}

/** Keeps layout: element by element. */
export function unary(
  b: GraphBuilder,
  operator: string,
  x: Value,
  attributes: Readonly<Record<string, number>> = {},
): Value {
  const value = x.constant ? b.plain(x) : x;
  return b.add(operator, [value.name], value, attributes);
}

export function clip(b: GraphBuilder, x: Value, low: number, high: number): Value {
  const bounds = [low, high].map((bound) => b.weights('bound', [], Float32Array.of(bound)));
  const value = x.constant ? b.plain(x) : x;
  return b.add('Clip', [value.name, ...bounds], value);
}

/** Along the last dimension, as TensorFlow means it. */
export function softmax(b: GraphBuilder, x: Value): Value {
  const { name, rank } = b.plain(x);
  return b.add('Softmax', [name], { rank }, { axis: -1n });
}

/** [N, …] → [N, product], in TensorFlow's order. */
export function flatten(b: GraphBuilder, x: Value): Value {
  return b.add('Flatten', [b.plain(x).name], { rank: 2 }, { axis: 1n });
}

export function reshape(b: GraphBuilder, x: Value, dims: readonly number[]): Value {
  return b.add('Reshape', [b.plain(x).name, b.integers('shape', dims)], { rank: dims.length });
}

/** `axis` as TensorFlow counts it. */
export function concat(b: GraphBuilder, values: readonly Value[], axis: number): Value {
  const rank = values[0]!.rank;
  const at = axis < 0 ? axis + rank : axis;
  if (rank === 4 && values.every(({ layout }) => layout === 'channels-first'))
    return b.add(
      'Concat',
      values.map(({ name }) => name),
      { rank, layout: 'channels-first' },
      { axis: BigInt([0, 2, 3, 1][at]!) },
    );
  return b.add(
    'Concat',
    values.map((value) => b.plain(value).name),
    { rank },
    { axis: BigInt(at) },
  );
}

/** `pads`: [before, after] of each dimension, as TensorFlow orders them. */
export function pad(b: GraphBuilder, x: Value, pads: readonly (readonly [number, number])[], value = 0): Value {
  const order = x.layout === 'channels-first' ? [0, 3, 1, 2].map((axis) => pads[axis]!) : pads;
  const flat = [...order.map(([before]) => before), ...order.map(([, after]) => after)];
  const inputs = [x.name, b.integers('pads', flat), b.weights('fill', [], Float32Array.of(value))];
  return b.add('Pad', inputs, x);
}

/** Mean over dimensions, as TensorFlow counts them. */
export function mean(b: GraphBuilder, x: Value, axes: readonly number[], keep: boolean): Value {
  const at = axes.map((axis) => (axis < 0 ? axis + x.rank : axis)).sort((p, q) => p - q);
  if (x.rank === 4 && at.join() === '1,2') return globalPool(b, x, 'Average', keep);
  const rank = keep ? x.rank : x.rank - at.length;
  return b.add('ReduceMean', [b.plain(x).name], { rank }, { axes: at.map(BigInt), keepdims: keep ? 1n : 0n });
}

/** TensorFlow's and Keras's activations by name, in lower case. Undefined for one that is not known. */
export function activation(b: GraphBuilder, name: string, x: Value, alpha = 0.2): Value | undefined {
  switch (name.toLowerCase()) {
    case 'linear':
    case 'identity':
      return x;
    case 'relu6':
      return clip(b, x, 0, 6);
    case 'softmax':
      return softmax(b, x);
    case 'leakyrelu':
      return unary(b, 'LeakyRelu', x, { alpha });
    case 'swish':
    case 'silu':
      return binary(b, 'Mul', x, unary(b, 'Sigmoid', x));
    case 'selu':
      return unary(b, 'Selu', x);
    default: {
      const operator = {
        relu: 'Relu',
        sigmoid: 'Sigmoid',
        tanh: 'Tanh',
        elu: 'Elu',
        softplus: 'Softplus',
        softsign: 'Softsign',
      }[name.toLowerCase()];
      return operator === undefined ? undefined : unary(b, operator, x);
    }
  }
}

/** The weight's values with its four dimensions in another order. */
function permuted({ shape, values }: TfjsWeight, order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const dims = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const result = new Float32Array(values.length);
  let at = 0;
  for (let a = 0; a < dims[0]!; a++)
    for (let c = 0; c < dims[1]!; c++)
      for (let d = 0; d < dims[2]!; d++)
        for (let e = 0; e < dims[3]!; e++)
          result[at++] = values[a * steps[0]! + c * steps[1]! + d * steps[2]! + e * steps[3]!]!;
  return result;
}
