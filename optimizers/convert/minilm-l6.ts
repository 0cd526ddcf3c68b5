import { UserError } from '../../results/errors.js';
import { addConstants, node, valueInfo } from '../onnx/build.js';
import type { OnnxModel } from '../onnx/index.js';
import { emptyModel, initializer } from '../onnx/model.js';
import { TensorProto_DataType as T } from '../onnx/proto/onnx_pb.js';
import { readSafetensors } from './safetensors.js';
import type { TorchTensor } from './torch.js';

/** Of BERT's sizes only the heads are not in the weights. Source: all-MiniLM-L6-v2's config.json. */
const HEADS = 12;
const EPSILON = 1e-12;
/** Added to the scores of padding: nothing is left of them after the softmax. */
const MASKED = -1e9;

/**
 * all-MiniLM-L6-v2 of a safetensors file as ONNX, operator set 17: input_ids and attention_mask i64[N,S], S ≤ 512 → sentence
 * f32[N,384], the mean over the tokens that are no padding. Throws UserError where a weight is missing. Source: BERT as Hugging
 * Face computes it (erf GELU, normalisation behind each residual), one segment.
 */
export function minilmL6(path: string): OnnxModel {
  const net = new Bert(readSafetensors(path), path);
  let value = net.embeddings('input_ids');
  const bias = net.maskBias('attention_mask');
  for (let layer = 0; net.has(`encoder.layer.${layer}.output.dense.weight`); layer++)
    value = net.layer(value, bias, `encoder.layer.${layer}`);
  return net.meanOver(value, 'attention_mask');
}

class Bert {
  readonly #model = emptyModel('all-MiniLM-L6-v2', 17);
  readonly #width: number;

  constructor(
    private readonly weights: ReadonlyMap<string, TorchTensor>,
    private readonly path: string,
  ) {
    this.#width = this.#get('embeddings.LayerNorm.weight').shape[0]!;
    for (const name of ['input_ids', 'attention_mask'])
      this.#model.graph.input.push(valueInfo(name, ['N', 'S'], T.INT64));
  }

  has(name: string): boolean {
    return this.weights.has(name);
  }

  /** Words, places and the one segment, summed and normalised: [N,S,width]. */
  embeddings(ids: string): string {
    const { values: segment } = this.#get('embeddings.token_type_embeddings.weight');
    const words = this.#add('Gather', [this.#weight('embeddings.word_embeddings.weight'), ids], 'words');
    const length = this.#add('Gather', [this.#add('Shape', [ids], 'sizes'), this.#whole('second', 1)], 'length');
    const range = this.#add('Range', [this.#whole('none', 0), length, this.#whole('step', 1)], 'range');
    const places = this.#add('Gather', [this.#weight('embeddings.position_embeddings.weight'), range], 'places');
    const first = this.#constant('segment', [this.#width], segment.slice(0, this.#width));
    const sum = this.#add('Add', [this.#add('Add', [words, first], 'with_segment'), places], 'embedded');
    return this.#norm(sum, 'embeddings.LayerNorm');
  }

  /** [N,1,1,S]: 0 for tokens, far below for padding. */
  maskBias(mask: string): string {
    const kept = this.#add('Unsqueeze', [this.#float(mask), this.#wholes('middle', 1, 2)], 'kept');
    const gone = this.#add('Sub', [this.#number('one', 1), kept], 'gone');
    return this.#add('Mul', [gone, this.#number('masked', MASKED)], 'mask_bias');
  }

  layer(input: string, bias: string, name: string): string {
    const attended = this.#dense(
      this.#attention(input, bias, `${name}.attention.self`),
      `${name}.attention.output.dense`,
    );
    const middle = this.#norm(
      this.#add('Add', [attended, input], `${name}.attended`),
      `${name}.attention.output.LayerNorm`,
    );
    const grown = this.#gelu(this.#dense(middle, `${name}.intermediate.dense`), name);
    const shrunk = this.#dense(grown, `${name}.output.dense`);
    return this.#norm(this.#add('Add', [shrunk, middle], `${name}.grown`), `${name}.output.LayerNorm`);
  }

  /** The model, whose output is the mean over tokens that the mask keeps. */
  meanOver(value: string, mask: string): OnnxModel {
    const kept = this.#add('Unsqueeze', [this.#float(mask), this.#wholes('last', 2)], 'kept_tokens');
    const axes = this.#wholes('tokens', 1);
    const sum = this.#add('ReduceSum', [this.#add('Mul', [value, kept], 'kept_values'), axes], 'sum', { keepdims: 0n });
    const count = this.#add('ReduceSum', [kept, axes], 'count', { keepdims: 0n });
    this.#add('Div', [sum, count], 'sentence');
    this.#model.graph.output.push(valueInfo('sentence', ['N', this.#width]));
    return this.#model;
  }

  #attention(input: string, bias: string, name: string): string {
    const [query, key, value] = (['query', 'key', 'value'] as const).map((part) => {
      const heads = this.#add(
        'Reshape',
        [this.#dense(input, `${name}.${part}`), this.#wholes('heads', 0, 0, HEADS, this.#width / HEADS)],
        `${name}.${part}.heads`,
      );
      const perm = part === 'key' ? [0n, 2n, 3n, 1n] : [0n, 2n, 1n, 3n];
      return this.#add('Transpose', [heads], `${name}.${part}.turned`, { perm });
    }) as [string, string, string];
    const scores = this.#add('MatMul', [query, key], `${name}.scores`);
    const scale = this.#number('scale', Math.sqrt(this.#width / HEADS));
    const masked = this.#add('Add', [this.#add('Div', [scores, scale], `${name}.scaled`), bias], `${name}.masked`);
    const shares = this.#add('Softmax', [masked], `${name}.shares`, { axis: -1n });
    const mixed = this.#add('MatMul', [shares, value], `${name}.mixed`);
    const turned = this.#add('Transpose', [mixed], `${name}.back`, { perm: [0n, 2n, 1n, 3n] });
    return this.#add('Reshape', [turned, this.#wholes('joined', 0, 0, this.#width)], `${name}.joined`);
  }

  #gelu(input: string, name: string): string {
    const erf = this.#add(
      'Erf',
      [this.#add('Div', [input, this.#number('root2', Math.SQRT2)], `${name}.g1`)],
      `${name}.g2`,
    );
    const share = this.#add('Add', [erf, this.#number('one', 1)], `${name}.g3`);
    return this.#add(
      'Mul',
      [this.#add('Mul', [input, share], `${name}.g4`), this.#number('half', 0.5)],
      `${name}.gelu`,
    );
  }

  /** PyTorch keeps [outputs, inputs]; a product takes [inputs, outputs]. */
  #dense(input: string, name: string): string {
    const { shape, values } = this.#get(`${name}.weight`);
    const [outputs, inputs] = shape as [number, number];
    const turned = new Float32Array(values.length);
    for (let row = 0; row < outputs; row++)
      for (let column = 0; column < inputs; column++) turned[column * outputs + row] = values[row * inputs + column]!;
    const weight = this.#constant(`${name}.weight`, [inputs, outputs], turned);
    const product = this.#add('MatMul', [input, weight], `${name}.product`);
    return this.#add('Add', [product, this.#weight(`${name}.bias`)], `${name}.out`);
  }

  #norm(input: string, name: string): string {
    const inputs = [input, this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
    return this.#add('LayerNormalization', inputs, `${name}.out`, { axis: -1n, epsilon: EPSILON });
  }

  #float(input: string): string {
    const name = `${input}_float`;
    const made = this.#model.graph.node.some(({ output }) => output[0] === name);
    return made ? name : this.#add('Cast', [input], name, { to: BigInt(T.FLOAT) });
  }

  #add(operator: string, inputs: readonly string[], name: string, attributes: Parameters<typeof node>[3] = {}): string {
    this.#model.graph.node.push(node(operator, inputs, [name], attributes));
    return name;
  }

  #weight(name: string): string {
    const { shape, values } = this.#get(name);
    return this.#constant(name, shape, values);
  }

  #number(name: string, value: number): string {
    return this.#constant(name, [], Float32Array.of(value));
  }

  #whole(name: string, value: number): string {
    return this.#constant(name, [], BigInt64Array.of(BigInt(value)));
  }

  #wholes(name: string, ...values: number[]): string {
    return this.#constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  #constant(name: string, dims: readonly number[], values: Float32Array | BigInt64Array): string {
    if (!this.#model.initializers.has(name)) addConstants(this.#model, initializer(name, dims, values));
    return name;
  }

  #get(name: string): TorchTensor {
    const found = this.weights.get(name);
    if (found) return found;
    throw new UserError({ place: this.path, found: `it has no weight "${name}"`, allowed: 'a BERT encoder’s weights' });
  }
}
