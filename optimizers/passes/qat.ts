import { z } from 'zod';
import type { Dense } from '../train/dense.js';
import { definePass } from './contract.js';
import { quantizeDynamic } from './quantize-dynamic.js';
import { prepare, refuseQuantized } from './support/prepare.js';
import { quantizeColumns, roundHalfEven } from './support/quantize.js';
import { fineTune, mlpOf, training, withWeights } from './support/training.js';

const options = z.strictObject({
  ...training,
  epochs: z.number().int().positive().default(1),
  form: quantizeDynamic.options.shape.form,
  reduceRange: quantizeDynamic.options.shape.reduceRange,
});

/**
 * Fine-tuning that feels the rounding: each forward pass uses weights rounded to int8 by column and hidden activations
 * rounded to uint8, gradients pass as if nothing was rounded (straight-through). Then quantize-dynamic. For nets of dense
 * layers and ReLU that can be trained here. Source: Jacob et al., *Quantization and Training*, section 3.
 */
export const qat = definePass({
  name: 'qat',
  summary: 'fake-quantised fine-tuning of a dense ReLU net, then quantize-dynamic',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const net = mlpOf(prepared.model, context, 'qat');
    const tuned = await fineTune(net, original, parsed, context, {
      beforeForward: (layers) => roundWeights(layers, parsed.reduceRange ? 63 : 127),
      activation: roundActivations,
    });
    withWeights(prepared.model, net, tuned.layers);
    const { form, reduceRange } = parsed;
    const quantized = await quantizeDynamic.apply(prepared.model, { form, reduceRange }, context);
    return { ...quantized, facts: { ...quantized.facts, training: tuned.facts } };
  },
});

/** Weights as their int8 selves; answers what brings the exact ones back. */
function roundWeights(layers: readonly Dense[], limit: number): () => void {
  const exact = layers.map(({ weights }) => weights.slice());
  for (const { weights, inputs, outputs } of layers) {
    const { values, scales } = quantizeColumns(weights, inputs, outputs, limit);
    for (let at = 0; at < weights.length; at++) weights[at] = values[at]! * scales[at % outputs]!;
  }
  return () => {
    for (const [i, { weights }] of layers.entries()) weights.set(exact[i]!);
  };
}

/** After ReLU the smallest value is 0: uint8 with zero point 0 and one scale, as DynamicQuantizeLinear does. */
function roundActivations(values: Float32Array): void {
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0) return;
  const scale = largest / 255;
  for (let at = 0; at < values.length; at++) values[at] = roundHalfEven(values[at]! / scale) * scale;
}
