import { checked, lookUp } from '../../results/lookup.js';
import { bucket } from './bucket.js';
import type { PassDefinition } from './contract.js';
import { distill } from './distill.js';
import { fp16 } from './fp16.js';
import { graph } from './graph.js';
import { linearProbe } from './linear-probe.js';
import { lowRank } from './low-rank.js';
import { pruneStructured } from './prune-structured.js';
import { pruneUnstructured } from './prune-unstructured.js';
import { qat } from './qat.js';
import { quantizeDynamic } from './quantize-dynamic.js';
import { quantizeStatic } from './quantize-static.js';
import { quantizeWeights } from './quantize-weights.js';
import { smoothQuant } from './smooth-quant.js';
import { splitPipeline } from './split-pipeline.js';
import { splitTensor } from './split-tensor.js';

/** Every pass. One import and one line per addition. */
export const passes = [
  quantizeDynamic, // int8, ranges at run time
  quantizeStatic, // int8, ranges from samples
  quantizeWeights, // 4 or 8 bits, weights only
  smoothQuant, // before int8
  qat, // int8 that was trained for
  fp16, // half precision
  pruneUnstructured, // zeros
  pruneStructured, // fewer units or heads
  lowRank, // thin products
  distill, // a student
  linearProbe, // a classifier of an encoder
  graph, // the runtime's own optimiser
  bucket, // sequence lengths
  splitPipeline, // stages
  splitTensor, // shards
] as const satisfies readonly PassDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function passNamed(name: string, place = '--pass'): PassDefinition {
  return lookUp<PassDefinition>(passes, name, 'pass', place);
}

/** Options with their defaults filled in. Throws UserError with every problem of them. */
export function parsePassOptions(definition: PassDefinition, options: unknown, place = definition.name): unknown {
  return checked(definition.options, options ?? {}, place);
}
