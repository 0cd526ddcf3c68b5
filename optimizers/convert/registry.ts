import { lookUp } from '../../results/lookup.js';
import type { OnnxModel } from '../onnx/index.js';
import { efficientnetLite0 } from './efficientnet-lite0.js';
import { minilmL6 } from './minilm-l6.js';
import { nsfwjs, nsfwjsFiles } from './nsfwjs.js';
import { sileroStreams } from './silero-streams.js';

/** Makes an ONNX model of a file that a package carries. The same file gives the same bytes. */
export interface Converter {
  readonly name: string;
  convert(path: string): OnnxModel;
  /** The net as the package has it for TensorFlow.js: `model.json` and its shards, by file name. */
  tfjs?(path: string): ReadonlyMap<string, Uint8Array>;
}

/** One import and one line per addition. */
const converters = [
  { name: 'silero-streams', convert: sileroStreams },
  { name: 'efficientnet-lite0', convert: efficientnetLite0 },
  { name: 'minilm-l6', convert: minilmL6 },
  { name: 'nsfwjs-mobilenet', convert: nsfwjs('mobilenet_v2'), tfjs: nsfwjsFiles('mobilenet_v2') },
  { name: 'nsfwjs-inception', convert: nsfwjs('inception_v3'), tfjs: nsfwjsFiles('inception_v3') },
] as const satisfies readonly Converter[];

/** The converter of that name. Throws UserError. */
export function converterNamed(name: string, place: string): Converter {
  return lookUp<Converter>(converters, name, 'converter', place);
}
