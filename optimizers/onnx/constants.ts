import type { OnnxModel } from './model.js';
import { TensorProto_DataType } from './proto/onnx_pb.js';
import { fromTensor } from './values.js';

/** Constant nodes that hold a tensor of numbers become constants of the graph, so that passes see one kind. Changes `model`. */
export function hoistConstants(model: OnnxModel): OnnxModel {
  const { graph, initializers } = model;
  const outputs = new Set(graph.output.map(({ name }) => name));
  graph.node = graph.node.filter((node) => {
    const [name] = node.output;
    const tensor = node.opType === 'Constant' ? node.attribute.find(({ t }) => t !== undefined)?.t : undefined;
    if (tensor === undefined || name === undefined || outputs.has(name)) return true;
    if (tensor.dataType === TensorProto_DataType.STRING || tensor.externalData.length > 0) return true;
    initializers.set(name, fromTensor(tensor, name));
    return false;
  });
  return model;
}
