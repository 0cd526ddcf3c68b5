import { removeDead } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/index.js';
import { convertGraph } from './graph.js';
import { convertLayers } from './layers.js';
import { readTfjs, type TfjsModel } from './reader.js';

/**
 * The TensorFlow.js model at `path` (a model.json, of a graph or of layers) as ONNX, operator set 17: inputs, outputs and
 * layouts as they were, images turned once where convolutions need it. Throws UserError with the part that is not known.
 */
export function convertTfjs(path: string): OnnxModel {
  return convertSource(readTfjs(path));
}

/** One that has been read. Throws UserError as `convertTfjs`. */
export function convertSource(source: TfjsModel): OnnxModel {
  const { model } = source.format === 'graph-model' ? convertGraph(source) : convertLayers(source);
  removeDead(model);
  return model;
}
