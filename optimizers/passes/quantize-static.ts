import { z } from 'zod';
import { addConstants, node } from '../onnx/build.js';
import { consumersOf, nameSource, outputsOf, producersOf } from '../onnx/graph.js';
import { dimsOf, initializer, normal, type OnnxModel } from '../onnx/model.js';
import { type NodeProto, TensorProto_DataType } from '../onnx/proto/onnx_pb.js';
import { floats } from '../onnx/values.js';
import { definePass } from './contract.js';
import { observe, samplesFor } from './support/activations.js';
import { type ActivationRange, asymmetric, Calibrator } from './support/calibrate.js';
import { denseLayers } from './support/dense.js';
import { finished, needOpset, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { clamp, roundHalfEven } from './support/quantize.js';

const options = z.strictObject({
  method: z.enum(['min-max', 'percentile', 'entropy']).default('min-max'),
  /** Share of an activation's magnitudes that stays, in percent, with `method: percentile`. */
  percentile: z.number().min(50).max(100).default(99.99),
  /** Calibration samples: the library's first. */
  count: z.number().int().positive().default(200),
  /** Weights use 7 bits: for CPUs whose 8-bit products saturate (x86 without VNNI). */
  reduceRange: z.boolean().default(false),
});

/**
 * int8 weights by output channel and uint8 activations with ranges measured beforehand, told by QuantizeLinear and
 * DequantizeLinear pairs that a runtime fuses. Source: ONNX Runtime's `quantize_static`, QDQ format.
 */
export const quantizeStatic = definePass({
  name: 'quantize-static',
  summary: 'int8 weights and activations, ranges calibrated on real samples (min-max, percentile, entropy)',
  options,
  apply: async (original, { method, percentile, count, reduceRange }, context) => {
    refuseQuantized(original, context);
    needOpset(original, 13, 'quantize-static', context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const { targets, left } = targetsOf(model);
    if (targets.length === 0)
      throw nothingToDo('quantize-static', 'Conv, MatMul or Gemm with constant weights', left, context);
    const samples = await samplesFor(context, 'quantize-static calibrates on samples');
    const watched = [...new Set(targets.flatMap(({ input, output }) => [input, output]))];
    const calibrators = new Map(watched.map((name) => [name, new Calibrator()]));
    const used = await observe(model, watched, samples, count, (name, values) => calibrators.get(name)!.add(values));
    const ranges = new Map([...calibrators].map(([name, each]) => [name, each.range(method, percentile / 100)]));
    const scales = quantizeActivations(model, ranges);
    for (const target of targets) quantizeWeights(model, target, scales.get(target.input)!, reduceRange ? 63 : 127);
    const facts = {
      layers: targets.length,
      method,
      ...(method === 'percentile' && { percentile }),
      calibration: { samples: samples.name, sha256: samples.sha256, count: used },
      ranges: Object.fromEntries(ranges),
    };
    return finished(prepared, facts, left);
  },
});

interface Target {
  readonly node: NodeProto;
  readonly input: string;
  /** Behind the activation that a runtime fuses with it. */
  readonly output: string;
  /** The axis of the weight that counts output channels. */
  readonly axis: number;
}

function targetsOf(model: OnnxModel): { targets: Target[]; left: string[] } {
  const consumers = consumersOf(model);
  const outputs = outputsOf(model);
  const { layers, left } = denseLayers(model);
  const dense = layers.map(({ node: each, output, input }) => {
    const transposed = each.attribute.some(({ name, i }) => name === 'transB' && i !== 0n);
    return { node: each, input, output, axis: transposed ? 0 : 1 };
  });
  const convolutions = model.graph.node
    .filter(({ opType, domain, input }) => opType === 'Conv' && normal(domain) === '' && isFloat(model, input[1]))
    .map((each) => ({ node: each, input: each.input[0]!, output: each.output[0]!, axis: 0 }));
  const targets = [...dense, ...convolutions].map((target) => {
    const [next, ...others] = consumers.get(target.output) ?? [];
    const fused = next !== undefined && others.length === 0 && !outputs.has(target.output) && isClip(next);
    return fused ? { ...target, output: next.output[0]! } : target;
  });
  return { targets, left };
}

/** A runtime folds these into the range of what it quantises. */
function isClip({ opType }: NodeProto): boolean {
  return opType === 'Relu' || opType === 'Clip';
}

function isFloat(model: OnnxModel, name = ''): boolean {
  return model.initializers.get(name)?.header.dataType === TensorProto_DataType.FLOAT;
}

/** A pair behind each value: whoever read it reads its quantised self. Answers each value's scale. */
function quantizeActivations(model: OnnxModel, ranges: ReadonlyMap<string, ActivationRange>): Map<string, number> {
  const fresh = nameSource(model);
  const producers = producersOf(model);
  const outputs = outputsOf(model);
  const scales = new Map<string, number>();
  for (const [value, range] of ranges) {
    const { scale, zero } = asymmetric(range);
    scales.set(value, scale);
    const isOutput = outputs.has(value);
    const source = isOutput ? fresh(`${value}_float`) : value;
    const [names, quantized] = [constantsFor(model, fresh, value, scale, zero), fresh(`${value}_quantized`)];
    const restored = isOutput ? value : fresh(`${value}_restored`);
    if (isOutput) {
      const maker = producers.get(value)!;
      maker.output = maker.output.map((name) => (name === value ? source : name));
    } else {
      for (const each of model.graph.node) each.input = each.input.map((name) => (name === value ? restored : name));
    }
    const pair = [
      node('QuantizeLinear', [source, ...names], [quantized]),
      node('DequantizeLinear', [quantized, ...names], [restored]),
    ];
    const maker = producers.get(value);
    const at = maker === undefined ? 0 : model.graph.node.indexOf(maker) + 1;
    model.graph.node.splice(at, 0, ...pair);
  }
  return scales;
}

function constantsFor(
  model: OnnxModel,
  fresh: (base: string) => string,
  value: string,
  scale: number,
  zero: number,
): [string, string] {
  const names: [string, string] = [fresh(`${value}_scale`), fresh(`${value}_zero`)];
  addConstants(
    model,
    initializer(names[0], [], Float32Array.of(scale)),
    initializer(names[1], [], Uint8Array.of(zero)),
  );
  return names;
}

/** The weight as int8 by channel, the bias as int32 at the product of both scales. */
function quantizeWeights(model: OnnxModel, { node: each, axis }: Target, inputScale: number, limit: number): void {
  const fresh = nameSource(model);
  const weight = model.initializers.get(each.input[1]!)!;
  const dims = dimsOf(weight);
  const channels = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const values = floats(weight);
  const channelOf = (at: number) => Math.floor(at / inner) % channels;
  const scales = new Float32Array(channels);
  for (let at = 0; at < values.length; at++)
    scales[channelOf(at)] = Math.max(scales[channelOf(at)]!, Math.abs(values[at]!));
  for (let c = 0; c < channels; c++) scales[c] = scales[c]! > 0 ? scales[c]! / limit : 1;
  const integers = new Int8Array(values.length);
  for (let at = 0; at < values.length; at++)
    integers[at] = clamp(roundHalfEven(values[at]! / scales[channelOf(at)]!), -limit, limit);
  const restored = restore(model, fresh, weight.header.name, initializer('', dims, integers), scales, axis);
  each.input[1] = restored.output[0]!;
  const nodes = [restored, ...quantizeBias(model, fresh, each, scales, inputScale, channels)];
  model.graph.node.splice(model.graph.node.indexOf(each), 0, ...nodes);
}

function quantizeBias(
  model: OnnxModel,
  fresh: (base: string) => string,
  each: NodeProto,
  weightScales: Float32Array,
  inputScale: number,
  channels: number,
): NodeProto[] {
  const bias = model.initializers.get(each.input[2] ?? '');
  // A scaled bias stays in FP32: its integers would not be at the scale of the sums.
  const plain = each.attribute.every(({ name, f }) => !['alpha', 'beta'].includes(name) || f === 1);
  if (bias === undefined || !plain || dimsOf(bias).length !== 1 || dimsOf(bias)[0] !== channels) return [];
  const scales = weightScales.map((scale) => scale * inputScale);
  const integers = Int32Array.from(floats(bias), (value, c) =>
    clamp(roundHalfEven(value / scales[c]!), -(2 ** 31), 2 ** 31 - 1),
  );
  const restored = restore(model, fresh, bias.header.name, initializer('', [channels], integers), scales, 0);
  each.input[2] = restored.output[0]!;
  return [restored];
}

/** Adds integers and scales as constants; answers the node that makes floats of them. */
function restore(
  model: OnnxModel,
  fresh: (base: string) => string,
  base: string,
  integers: ReturnType<typeof initializer>,
  scales: Float32Array,
  axis: number,
): NodeProto {
  const names = { values: fresh(`${base}_quantized`), scales: fresh(`${base}_scale`), zeros: fresh(`${base}_zero`) };
  const is8 = integers.header.dataType === TensorProto_DataType.INT8;
  integers.header.name = names.values;
  addConstants(
    model,
    integers,
    initializer(names.scales, [scales.length], scales),
    initializer(names.zeros, [scales.length], is8 ? new Int8Array(scales.length) : new Int32Array(scales.length)),
  );
  return node('DequantizeLinear', [names.values, names.scales, names.zeros], [fresh(`${base}_restored`)], {
    axis: BigInt(axis),
  });
}
