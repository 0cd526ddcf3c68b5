import { canonicalDouble, type RandomSource } from '../../results/stats/index.js';
import { type Gemm, pack } from './gemm.js';

/**
 * A fully connected layer y = x·W + b with its gradients and Adam state. Shapes: x [batch, inputs], W [inputs, outputs],
 * y [batch, outputs]; batch and both widths are multiples of 8.
 */
export class Dense {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** The last forward's result; the caller may apply its activation in place. */
  readonly output: Float32Array;
  /** dLoss/dy, filled by the caller before `backward`. */
  readonly outputGradient: Float32Array;
  private readonly weightGradient: Float32Array;
  private readonly biasGradient: Float32Array;
  private readonly adamWeights: AdamState;
  private readonly adamBias: AdamState;
  private readonly packedInput: Float32Array;
  private readonly packedWeights: Float32Array;
  private readonly packedGradient: Float32Array;

  constructor(
    private readonly gemm: Gemm,
    readonly batch: number,
    readonly inputs: number,
    readonly outputs: number,
  ) {
    this.weights = gemm.array(inputs * outputs);
    this.weightGradient = gemm.array(inputs * outputs);
    this.packedWeights = gemm.array(inputs * outputs);
    this.output = gemm.array(batch * outputs);
    this.outputGradient = gemm.array(batch * outputs);
    this.packedInput = gemm.array(batch * inputs);
    this.packedGradient = gemm.array(batch * outputs);
    this.bias = new Float32Array(outputs);
    this.biasGradient = new Float32Array(outputs);
    this.adamWeights = new AdamState(inputs * outputs);
    this.adamBias = new AdamState(outputs);
  }

  /** He's uniform initialisation of the first `used` output columns; the others stay 0. */
  initialise(random: RandomSource, used = this.outputs): void {
    const limit = Math.sqrt(6 / this.inputs);
    for (let i = 0; i < this.inputs; i++)
      for (let o = 0; o < used; o++) this.weights[i * this.outputs + o] = (2 * canonicalDouble(random) - 1) * limit;
  }

  forward(x: Float32Array): Float32Array {
    const { batch, inputs, outputs } = this;
    pack(x, this.packedInput, { rows: batch, columns: inputs, rowStride: inputs, columnStride: 1 }, 4);
    const byColumn = { rows: outputs, columns: inputs, rowStride: 1, columnStride: outputs };
    pack(this.weights, this.packedWeights, byColumn, 8);
    this.gemm.multiply(this.packedInput, this.packedWeights, this.output, batch, outputs, inputs);
    for (let row = 0, at = 0; row < batch; row++)
      for (let o = 0; o < outputs; o++, at++) this.output[at]! += this.bias[o]!;
    return this.output;
  }

  /** dLoss/dW = xᵀ·dy and dLoss/db = Σ rows of dy; fills `inputGradient` with dy·Wᵀ where it is given. */
  backward(x: Float32Array, inputGradient?: Float32Array): void {
    const { batch, inputs, outputs, outputGradient } = this;
    pack(x, this.packedInput, { rows: inputs, columns: batch, rowStride: 1, columnStride: inputs }, 4);
    const byColumn = { rows: outputs, columns: batch, rowStride: 1, columnStride: outputs };
    pack(outputGradient, this.packedGradient, byColumn, 8);
    this.gemm.multiply(this.packedInput, this.packedGradient, this.weightGradient, inputs, outputs, batch);
    this.biasGradient.fill(0);
    for (let row = 0, at = 0; row < batch; row++)
      for (let o = 0; o < outputs; o++, at++) this.biasGradient[o]! += outputGradient[at]!;
    if (inputGradient === undefined) return;
    pack(
      outputGradient,
      this.packedGradient,
      { rows: batch, columns: outputs, rowStride: outputs, columnStride: 1 },
      4,
    );
    const byRow = { rows: inputs, columns: outputs, rowStride: outputs, columnStride: 1 };
    pack(this.weights, this.packedWeights, byRow, 8);
    this.gemm.multiply(this.packedGradient, this.packedWeights, inputGradient, batch, inputs, outputs);
  }

  /** One Adam step; `step` counts from 1. */
  update(rate: number, step: number): void {
    this.adamWeights.apply(this.weights, this.weightGradient, rate, step);
    this.adamBias.apply(this.bias, this.biasGradient, rate, step);
  }
}

/** Kingma and Ba, *Adam*, algorithm 1, with β₁ 0.9, β₂ 0.999, ε 1e-8. */
class AdamState {
  private readonly mean: Float32Array;
  private readonly square: Float32Array;

  constructor(length: number) {
    this.mean = new Float32Array(length);
    this.square = new Float32Array(length);
  }

  apply(values: Float32Array, gradient: Float32Array, rate: number, step: number): void {
    const { mean, square } = this;
    const scale = rate / (1 - 0.9 ** step);
    const correction = 1 / (1 - 0.999 ** step);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!;
      const m = 0.9 * mean[i]! + 0.1 * g;
      const v = 0.999 * square[i]! + 0.001 * g * g;
      mean[i] = m;
      square[i] = v;
      values[i]! -= (scale * m) / (Math.sqrt(v * correction) + 1e-8);
    }
  }
}
