import { TensorProto_DataType, type ValueInfoProto } from '../../onnx/proto/onnx_pb.js';

/** Width of an FP32 value [N, width]; undefined where it is none. */
export function elementsOfValue({ type }: ValueInfoProto): number | undefined {
  if (type?.value.case !== 'tensorType' || type.value.value.elemType !== TensorProto_DataType.FLOAT) return undefined;
  const dims = type.value.value.shape?.dim ?? [];
  const last = dims.at(-1)?.value;
  return dims.length === 2 && last?.case === 'dimValue' ? Number(last.value) : undefined;
}
