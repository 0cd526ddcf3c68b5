import type { Tensor } from '../../../servers/protocol/index.js';
import { addConstants, node } from '../../onnx/build.js';
import { nameSource } from '../../onnx/graph.js';
import { initializer, type OnnxModel } from '../../onnx/model.js';
import { TensorProto_DataType as T, type ValueInfoProto } from '../../onnx/proto/onnx_pb.js';

/** How a dense net reads tokens: `windows` stretches of `width` tokens, each as the shares of `vocabulary` tokens in it. */
export interface TokenReading {
  readonly width: number;
  readonly vocabulary: number;
  readonly windows: number;
}

/** [windows · vocabulary] of one sample INT32 or INT64 [1, width]. Throws RangeError for a token outside of the vocabulary. */
export function sharesOfTokens({ data, datatype }: Tensor, { width, vocabulary, windows }: TokenReading): Float32Array {
  const buffer = new Uint8Array(data).buffer;
  const tokens = datatype === 'INT64' ? Array.from(new BigInt64Array(buffer), Number) : new Int32Array(buffer);
  const shares = new Float32Array(windows * vocabulary);
  const length = width / windows;
  for (let at = 0; at < width; at++) {
    const token = tokens[at]!;
    if (token < 0 || token >= vocabulary)
      throw new RangeError(`token ${token} is none of a vocabulary of ${vocabulary}: set vocabulary`);
    shares[Math.floor(at / length) * vocabulary + token]! += 1 / length;
  }
  return shares;
}

/**
 * Puts tokens in the place of a net's input `shares`: its first product becomes the mean of a table's rows, one row a token, and no
 * shares are ever counted.
 */
export function readTokens(
  model: OnnxModel,
  input: ValueInfoProto,
  { width, vocabulary, windows }: TokenReading,
): void {
  const [first] = model.graph.node;
  const [, weights, bias] = first!.input as [string, string, string];
  model.graph.input = [input];
  const fresh = nameSource(model);
  const [starts, places, read, mean] = ['offsets', 'rows', 'read', 'mean'].map(fresh) as [
    string,
    string,
    string,
    string,
  ];
  const length = width / windows;
  const is64 = isLong(input);
  const offsets = Array.from({ length: width }, (_, at) => Math.floor(at / length) * vocabulary);
  // A sum of shares is a sum over a window's tokens divided by its length; the mean is over all of them.
  const table = scaled(model, weights, windows);
  addConstants(
    model,
    table,
    initializer(starts, [width], is64 ? BigInt64Array.from(offsets, BigInt) : Int32Array.from(offsets)),
  );
  model.graph.node.splice(
    0,
    1,
    node('Add', [input.name, starts], [places]),
    node('Gather', [weights, places], [read], { axis: 0n }),
    node('ReduceMean', [read], [mean], { axes: [1n], keepdims: 0n }),
    node('Add', [mean, bias], [first!.output[0]!]),
  );
}

function scaled(model: OnnxModel, name: string, factor: number) {
  const { header, payload } = model.initializers.get(name)!;
  if (payload.kind !== 'memory') throw new Error(`the student's ${name} lies in no memory`);
  const { buffer, byteOffset, byteLength } = payload.bytes;
  const values = new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
  return initializer(
    name,
    header.dims.map(Number),
    values.map((value) => factor * value),
  );
}

function isLong({ type }: ValueInfoProto): boolean {
  return type?.value.case === 'tensorType' && type.value.value.elemType === T.INT64;
}
