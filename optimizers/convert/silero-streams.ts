import { addConstants, node, valueInfo } from '../onnx/build.js';
import { readModel } from '../onnx/index.js';
import { initializer, type OnnxModel } from '../onnx/model.js';

/** At 16 kHz: new samples a step, and those of the step before that the net looks back to. */
const STEP = 512;
const CONTEXT = 64;
const RATE = 16_000;

/**
 * Silero VAD with the batch as first dimension everywhere, so that steps of several streams share an execution: samples
 * f32[N,512], context f32[N,64], states f32[N,2,128] → output f32[N,1], the probability of speech, contextN and statesN. As it
 * comes, its state is [2,N,128], the sampling rate an input, and the client sends the last 64 samples again.
 */
export function sileroStreams(path: string): OnnxModel {
  const model = readModel(path);
  const { graph } = model;
  addConstants(
    model,
    initializer('sr', [], BigInt64Array.of(BigInt(RATE))),
    ...[STEP - CONTEXT, STEP, 1].map((at, i) => initializer(`context_cut_${i}`, [1], BigInt64Array.of(BigInt(at)))),
  );
  graph.node.unshift(
    node('Concat', ['context', 'samples'], ['input'], { axis: 1n }),
    node('Transpose', ['states'], ['state'], { perm: [1n, 0n, 2n] }),
    node('Slice', ['samples', 'context_cut_0', 'context_cut_1', 'context_cut_2'], ['contextN']),
  );
  graph.node.push(node('Transpose', ['stateN'], ['statesN'], { perm: [1n, 0n, 2n] }));
  graph.input = [
    valueInfo('samples', ['N', STEP]),
    valueInfo('context', ['N', CONTEXT]),
    valueInfo('states', ['N', 2, 128]),
  ];
  graph.output = [
    valueInfo('output', ['N', 1]),
    valueInfo('contextN', ['N', CONTEXT]),
    valueInfo('statesN', ['N', 2, 128]),
  ];
  return model;
}
