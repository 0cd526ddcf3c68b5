import { z } from 'zod';
import { fraction } from '../../results/units.js';
import { addConstants } from '../onnx/build.js';
import { dimsOf, type Initializer, initializer, normal, type OnnxModel } from '../onnx/model.js';
import { TensorProto_DataType } from '../onnx/proto/onnx_pb.js';
import { floats } from '../onnx/values.js';
import { definePass } from './contract.js';
import { sparsityAt, WHOLE_AT, zeroSmallest } from './support/magnitude.js';
import { finished, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { fineTune, mlpOf, training, withWeights } from './support/training.js';

const options = z.strictObject({
  /** Share of the weights that become 0. */
  sparsity: fraction().default(0.9),
  /** The same share of each layer, or the smallest of all layers together. */
  scope: z.enum(['layer', 'global']).default('layer'),
  ...training,
});

/**
 * The smallest weights become 0. With epochs the share grows along a cubic while the net is trained: what is 0 stays 0. A
 * dense engine multiplies zeros as it multiplies anything: expect a ratio of about 1.0. Source: Zhu and Gupta, *To prune,
 * or not to prune*, equation 1.
 */
export const pruneUnstructured = definePass({
  name: 'prune-unstructured',
  summary: 'smallest weights become 0 (magnitude), at once or on the cubic schedule with fine-tuning',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const weights = matrices(prepared.model);
    if (weights.length === 0) throw nothingToDo('prune-unstructured', 'constant FP32 weights', [], context);
    let facts: Record<string, unknown> = { scope: parsed.scope, target: parsed.sparsity };
    if (parsed.epochs === 0) {
      const values = weights.map((each) => Float32Array.from(floats(each)));
      zeroSmallest(values, parsed.sparsity, parsed.scope);
      for (const [i, each] of weights.entries())
        addConstants(prepared.model, initializer(each.header.name, dimsOf(each), values[i]!));
    } else {
      const net = mlpOf(prepared.model, context, 'prune-unstructured with epochs');
      const tuned = await fineTune(net, prepared.model, parsed, context, {
        afterStep: gradually(parsed.sparsity, parsed.scope),
      });
      withWeights(prepared.model, net, tuned.layers);
      facts = { ...facts, training: tuned.facts };
    }
    const zeros = matrices(prepared.model).map((each) => zeroCount(floats(each)));
    const total = weights.reduce((sum, each) => sum + floats(each).length, 0);
    facts = { ...facts, sparsity: zeros.reduce((a, b) => a + b, 0) / total, weights: total };
    return finished(prepared, facts, ['Zeros take as many bytes and as much time as other numbers on a dense engine']);
  },
});

/** Times that more is zeroed, evenly over the training up to where the share is whole. */
const TIMES = 32;

/** Zeroes more every few steps; between them what is 0 stays 0. */
function gradually(
  sparsity: number,
  scope: 'layer' | 'global',
): (layers: readonly Float32Array[], done: number) => void {
  let times = 0;
  let zeros: readonly Uint8Array[] = [];
  return (layers, done) => {
    for (const [i, mask] of zeros.entries()) for (let at = 0; at < mask.length; at++) if (mask[at]) layers[i]![at] = 0;
    const due = Math.floor(TIMES * Math.min(1, done / WHOLE_AT));
    if (due === times) return;
    times = due;
    zeroSmallest(layers, sparsityAt(done, sparsity), scope);
    zeros = layers.map((values) => Uint8Array.from(values, (value) => Number(value === 0)));
  };
}

/** Weights of matrix products and convolutions. */
function matrices(model: OnnxModel): Initializer[] {
  const names = model.graph.node
    .filter(
      ({ opType, domain }) => normal(domain) === '' && ['MatMul', 'Gemm', 'Conv', 'ConvTranspose'].includes(opType),
    )
    .flatMap(({ input }) => input.slice(0, 2));
  return [...new Set(names)].flatMap((name) => {
    const found = model.initializers.get(name);
    const fits = found?.header.dataType === TensorProto_DataType.FLOAT && found.header.dims.length >= 2;
    return fits ? [found] : [];
  });
}

function zeroCount(values: Float32Array): number {
  return values.reduce((sum, value) => sum + Number(value === 0), 0);
}
