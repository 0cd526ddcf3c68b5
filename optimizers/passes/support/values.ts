import { TensorProto_DataType as T, type ValueInfoProto } from '../../onnx/proto/onnx_pb.js';

/** Width of an FP32 value [N, width]; undefined where it is none. */
export function elementsOfValue(value: ValueInfoProto): number | undefined {
  return widthOf(value, [T.FLOAT]);
}

/** Width of a value of tokens, INT32 or INT64 [N, width]; undefined where it is none. */
export function tokensOfValue(value: ValueInfoProto): number | undefined {
  return widthOf(value, [T.INT32, T.INT64]);
}

function widthOf({ type }: ValueInfoProto, types: readonly T[]): number | undefined {
  if (type?.value.case !== 'tensorType' || !types.includes(type.value.value.elemType)) return undefined;
  const dims = type.value.value.shape?.dim ?? [];
  const last = dims.at(-1)?.value;
  return dims.length === 2 && last?.case === 'dimValue' ? Number(last.value) : undefined;
}
