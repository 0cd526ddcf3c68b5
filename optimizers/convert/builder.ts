import { UserError } from '../../results/errors.js';
import { type AttributeValue, addConstants, node, valueInfo } from '../onnx/build.js';
import { emptyModel, initializer, type OnnxModel, type Values } from '../onnx/model.js';
import { TensorProto_DataType } from '../onnx/proto/onnx_pb.js';
import type { TfjsWeight } from './reader.js';

/**
 * A value of the graph under way. Of rank 4 it may lie as [N,C,H,W], as ONNX's convolutions want it, where TensorFlow means
 * [N,H,W,C]; `plain` values lie as TensorFlow means them.
 */
export interface Value {
  readonly name: string;
  readonly rank: number;
  readonly layout: 'plain' | 'channels-first';
  /** A constant's content, where it is one. */
  readonly constant?: TfjsWeight | undefined;
}

/** Writes an ONNX graph node by node; turns values between the two layouts where an operator needs the other one. */
export class GraphBuilder {
  readonly model: OnnxModel;
  readonly #turned = new Map<string, Value>();
  #count = 0;

  constructor(
    name: string,
    readonly place: string,
  ) {
    this.model = emptyModel(name, 17);
  }

  input(name: string, dims: readonly (number | null)[], type: number = TensorProto_DataType.FLOAT): Value {
    const symbols = dims.map((dim, axis) => dim ?? (axis === 0 ? 'N' : `${name}_${axis}`));
    this.model.graph.input.push(valueInfo(name, symbols, type));
    return { name, rank: dims.length, layout: 'plain' };
  }

  /** Makes a value the graph's output, under that name. */
  output(value: Value, name: string, dims: readonly (number | string)[] | undefined): void {
    const { name: from } = this.plain(value);
    this.model.graph.node.push(node('Identity', [from], [name]));
    this.model.graph.output.push(valueInfo(name, dims));
  }

  constant(name: string, weight: TfjsWeight): Value {
    return { name, rank: weight.shape.length, layout: 'plain', constant: weight };
  }

  /** The name of a new constant of the graph. */
  weights(hint: string, dims: readonly number[], values: Values): string {
    const name = this.#fresh(hint);
    addConstants(this.model, initializer(name, dims, values));
    return name;
  }

  integers(hint: string, values: readonly number[]): string {
    return this.weights(hint, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A node of one output. */
  add(
    operator: string,
    inputs: readonly string[],
    { rank, layout = 'plain' }: { readonly rank: number; readonly layout?: Value['layout'] },
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value {
    const name = this.#fresh(operator.toLowerCase());
    this.model.graph.node.push(node(operator, inputs, [name], attributes));
    return { name, rank, layout };
  }

  plain(value: Value): Value {
    if (value.constant) return this.#placed(value);
    return value.layout === 'plain' ? value : this.#turn(value, 'plain', [0n, 2n, 3n, 1n]);
  }

  /** Throws UserError where the value is no image. */
  channelsFirst(value: Value): Value {
    if (value.layout === 'channels-first') return value;
    if (value.rank !== 4) throw this.refusal(`a value of rank ${value.rank} where an image is needed`);
    return this.#turn(this.plain(value), 'channels-first', [0n, 3n, 1n, 2n]);
  }

  refusal(found: string): UserError {
    return new UserError({
      place: this.place,
      found: `it has ${found}, which the conversion does not know`,
      remedy: 'Convert the model where it was made (tf2onnx), or leave that part out',
    });
  }

  #turn(value: Value, layout: Value['layout'], perm: readonly bigint[]): Value {
    const known = this.#turned.get(value.name);
    if (known) return known;
    const turned = this.add('Transpose', [value.name], { rank: 4, layout }, { perm });
    this.#turned.set(value.name, turned);
    this.#turned.set(turned.name, value);
    return turned;
  }

  #placed({ name, rank, constant }: Value): Value {
    const { shape, values } = constant!;
    return { name: this.weights(name, shape, values), rank, layout: 'plain' };
  }

  #fresh(hint: string): string {
    return `${hint}_${this.#count++}`;
  }
}
