import { clearField, fromBinary, type Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { messageOf, UserError } from '../../results/errors.js';
import { byteLength } from './dtypes.js';
import { locateExternal } from './external.js';
import { elementsOf, type Initializer, type OnnxModel } from './model.js';
import { GraphProtoSchema, ModelProtoSchema, TensorProto_DataLocation, TensorProtoSchema } from './proto/onnx_pb.js';
import { type ByteSource, type Range, withSource } from './source.js';
import { fieldsOf, type WireField } from './wire.js';

/** Field numbers. Source: onnx.proto. */
const GRAPH = 7;
const INITIALIZER = 5;
/** A TensorProto's values: float, int32, string, int64, raw, double, uint64. */
const VALUES: ReadonlySet<number> = new Set([4, 5, 6, 7, 9, 10, 11]);
const RAW = 9;

/**
 * The model in a file. Weights are not read, only found: memory holds nodes, names and shapes. Throws UserError where the
 * file is missing or no ONNX model.
 */
export function readModel(path: string): OnnxModel {
  return withSource(path, (source) => {
    const head: Uint8Array[] = [];
    const graph: Uint8Array[] = [];
    const constants: Initializer[] = [];
    let graphs = 0;
    for (const field of fieldsOf(source, { offset: 0, length: source.size })) {
      if (field.number !== GRAPH || field.content === undefined) {
        head.push(source.read(field.whole));
        continue;
      }
      graphs++;
      for (const inner of fieldsOf(source, field.content))
        if (inner.number === INITIALIZER && inner.content) constants.push(readInitializer(source, inner.content));
        else graph.push(source.read(inner.whole));
    }
    if (graphs === 0) throw new UserError({ place: path, found: 'it holds no graph', allowed: 'an .onnx file' });
    return {
      head: parse(ModelProtoSchema, head, path),
      graph: parse(GraphProtoSchema, graph, path),
      initializers: byName(constants, path),
    };
  });
}

function readInitializer(source: ByteSource, range: Range): Initializer {
  const values: WireField[] = [];
  const rest: Uint8Array[] = [];
  for (const field of fieldsOf(source, range))
    if (VALUES.has(field.number)) values.push(field);
    else rest.push(source.read(field.whole));
  const header = parse(TensorProtoSchema, rest, source.path);
  if (header.dataLocation === TensorProto_DataLocation.EXTERNAL) return external(source.path, header);
  return {
    header,
    payload: {
      kind: 'spliced',
      file: source.path,
      fields: values.map((field) => field.whole),
      raw: values.find((field) => field.number === RAW)?.content,
    },
  };
}

/** The header without the place of the data: where it will lie is the writer's decision. */
function external(path: string, header: Initializer['header']): Initializer {
  const found = locateExternal(path, header, byteLength(header.dataType, elementsOf({ header })));
  header.externalData = [];
  clearField(header, TensorProtoSchema.field.dataLocation);
  return { header, payload: { kind: 'external', ...found } };
}

function byName(constants: readonly Initializer[], path: string): Map<string, Initializer> {
  const found = new Map(constants.map((constant) => [constant.header.name, constant]));
  if (found.size === constants.length) return found;
  const twice = constants.find((constant) => found.get(constant.header.name) !== constant)!;
  throw new UserError({ place: path, found: `two initializers are called "${twice.header.name}"` });
}

function parse<T extends Message>(schema: GenMessage<T>, parts: readonly Uint8Array[], path: string): T {
  try {
    return fromBinary(schema, Buffer.concat(parts)) as T;
  } catch (error) {
    throw new UserError(
      { place: path, found: `it is no ONNX model (${messageOf(error)})`, allowed: 'an .onnx file' },
      { cause: error },
    );
  }
}
