import { TensorProto_DataType as T, type ValueInfoProto } from '../../onnx/proto/onnx_pb.js';

/** Width of an FP32 value [N, width]; undefined where it is none. */
export function elementsOfValue(value: ValueInfoProto): number | undefined {
  return widthOf(value, [T.FLOAT]);
}

/** Width of a value of tokens, INT32 or INT64 [N, width]; undefined where it is none. */
export function tokensOfValue(value: ValueInfoProto): number | undefined {
  return widthOf(value, [T.INT32, T.INT64]);
}

/** Dimensions of a tensor, symbols as texts; undefined where the rank is open. */
export function dimsOfValue({ type }: ValueInfoProto): readonly (string | number)[] | undefined {
  const shape = type?.value.case === 'tensorType' ? type.value.value.shape : undefined;
  return shape?.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : (value.value ?? 'N')));
}

function widthOf(value: ValueInfoProto, types: readonly T[]): number | undefined {
  const { type } = value;
  if (type?.value.case !== 'tensorType' || !types.includes(type.value.value.elemType)) return undefined;
  const dims = dimsOfValue(value);
  const last = dims?.at(-1);
  return dims?.length === 2 && typeof last === 'number' ? last : undefined;
}
