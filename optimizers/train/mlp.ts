import type { RandomSource } from '../../results/stats/index.js';
import { Dense } from './dense.js';
import { Gemm } from './gemm.js';

/** How a net differs from the plain one, and what happens inside of a training step. */
export interface NetHooks {
  /** Hidden layers (by place) without ReLU behind them. */
  readonly linear?: ReadonlySet<number>;
  /** Called before each forward pass; answers what undoes it before the weights are updated. */
  readonly beforeForward?: (layers: readonly Dense[]) => () => void;
  /** May change a hidden layer's activations in place, after ReLU; gradients pass as if it had not. */
  readonly activation?: (values: Float32Array) => void;
}

/** A multilayer perceptron with ReLU between its layers; the last layer gives logits. */
export class Mlp {
  readonly layers: readonly Dense[];
  /** The batch's inputs, [batch, widths[0]]; the caller fills it. */
  readonly input: Float32Array;
  private readonly classes: number;
  private step = 0;

  /** `widths`: inputs, hidden widths, classes; inputs and hidden are multiples of 8, and so is `batch`. */
  constructor(
    widths: readonly number[],
    batch: number,
    random: RandomSource,
    private readonly hooks: NetHooks = {},
  ) {
    // The kernel works on columns of 8: the last layer is padded with columns that stay 0.
    const padded = widths.map((width) => Math.ceil(width / 8) * 8);
    const gemm = new Gemm(bytesFor(padded, batch));
    this.classes = widths.at(-1)!;
    this.input = gemm.array(batch * padded[0]!);
    this.layers = padded.slice(1).map((width, i) => new Dense(gemm, batch, padded[i]!, width));
    for (const [i, layer] of this.layers.entries()) layer.initialise(random, widths[i + 1]!);
  }

  /** Logits of the batch in `input`: [batch, padded classes]. */
  forward(): Float32Array {
    return this.layers.reduce((x, layer, i) => {
      const y = layer.forward(x);
      if (i === this.layers.length - 1 || this.hooks.linear?.has(i)) return y;
      for (let at = 0; at < y.length; at++) if (y[at]! < 0) y[at] = 0;
      this.hooks.activation?.(y);
      return y;
    }, this.input);
  }

  /** One step on the batch in `input` with its labels; answers the mean cross entropy before the step. */
  train(labels: Uint8Array, rate: number): number {
    return this.learn(rate, (logits, last) => crossEntropy(logits, last, labels, this.classes));
  }

  /** One step towards `wanted` [batch, classes]; answers the mean squared error before the step. */
  imitate(wanted: Float32Array, rate: number): number {
    return this.learn(rate, (logits, last) => squaredError(logits, last, wanted, this.classes));
  }

  /** One step towards the softmax of `wanted` [batch, classes] at that temperature; answers the cross entropy before the step. */
  imitateSoftly(wanted: Float32Array, temperature: number, rate: number): number {
    return this.learn(rate, (logits, last) => softCrossEntropy(logits, last, wanted, temperature, this.classes));
  }

  private learn(rate: number, lossOf: (logits: Float32Array, last: Dense) => number): number {
    const undo = this.hooks.beforeForward?.(this.layers);
    const loss = lossOf(this.forward(), this.layers.at(-1)!);
    for (let i = this.layers.length - 1; i >= 0; i--) this.backward(i);
    undo?.();
    this.step++;
    for (const layer of this.layers) layer.update(rate, this.step);
    return loss;
  }

  private backward(i: number): void {
    const layer = this.layers[i]!;
    const below = this.layers[i - 1];
    if (below === undefined) {
      layer.backward(this.input);
      return;
    }
    layer.backward(below.output, below.outputGradient);
    if (this.hooks.linear?.has(i - 1)) return;
    for (let at = 0; at < below.output.length; at++) if (below.output[at] === 0) below.outputGradient[at] = 0;
  }
}

/** Softmax and its mean cross entropy over rows; leaves (softmax − one-hot) / batch in the layer's gradient. */
function crossEntropy(logits: Float32Array, layer: Dense, labels: Uint8Array, classes: number): number {
  let loss = 0;
  for (let row = 0; row < layer.batch; row++) {
    const at = row * layer.outputs;
    const values = logits.subarray(at, at + classes);
    const largest = values.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (const value of values) sum += Math.exp(value - largest);
    for (let c = 0; c < classes; c++) {
      const wanted = c === labels[row] ? 1 : 0;
      layer.outputGradient[at + c] = (Math.exp(values[c]! - largest) / sum - wanted) / layer.batch;
    }
    loss += Math.log(sum) + largest - values[labels[row]!]!;
  }
  return loss / layer.batch;
}

/** The same against the softmax of `wanted`, both at that temperature. Source: Hinton et al., *Distilling the knowledge*. */
function softCrossEntropy(
  logits: Float32Array,
  layer: Dense,
  wanted: Float32Array,
  temperature: number,
  classes: number,
): number {
  let loss = 0;
  for (let row = 0; row < layer.batch; row++) {
    const at = row * layer.outputs;
    const found = softmax(logits.subarray(at, at + classes), temperature);
    const target = softmax(wanted.subarray(row * classes, (row + 1) * classes), temperature);
    for (let c = 0; c < classes; c++) {
      layer.outputGradient[at + c] = (found[c]! - target[c]!) / layer.batch;
      loss -= target[c]! * Math.log(Math.max(found[c]!, 1e-30));
    }
  }
  return loss / layer.batch;
}

function softmax(values: Float32Array, temperature: number): Float64Array {
  const largest = values.reduce((a, b) => Math.max(a, b));
  const powers = Float64Array.from(values, (value) => Math.exp((value - largest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Mean squared error over rows and classes; leaves its gradient in the layer. */
function squaredError(outputs: Float32Array, layer: Dense, wanted: Float32Array, classes: number): number {
  let loss = 0;
  layer.outputGradient.fill(0);
  for (let row = 0; row < layer.batch; row++)
    for (let c = 0; c < classes; c++) {
      const difference = outputs[row * layer.outputs + c]! - wanted[row * classes + c]!;
      layer.outputGradient[row * layer.outputs + c] = (2 * difference) / (layer.batch * classes);
      loss += difference * difference;
    }
  return loss / (layer.batch * classes);
}

/** What the layers ask of the kernel's memory, with room for alignment. */
function bytesFor(widths: readonly number[], batch: number): number {
  const floats = widths
    .slice(1)
    .reduce((sum, width, i) => sum + 3 * widths[i]! * width + batch * (3 * width + widths[i]!), batch * widths[0]!);
  return 4 * floats + 1024 * widths.length;
}
