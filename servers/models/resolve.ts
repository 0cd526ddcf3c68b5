import { parseRuntimeOptions, runtimeNamed } from '../runtimes/index.js';
import type { ResolvedModel } from './contract.js';
import { fileModel } from './file.js';
import { definitionOf } from './processing-of.js';
import { modelNamed } from './registry.js';
import { conversionOf, type MadeModel, type ModelSpec } from './spec.js';

/** Find the model and check its runtime's options. Throws UserError where anything about it is wrong. */
export async function resolveModel(spec: ModelSpec, signal?: AbortSignal): Promise<ResolvedModel> {
  const found = await find(spec, signal);
  const model = { ...found, runtimeOptions: { ...found.runtimeOptions, ...spec.options } };
  parseRuntimeOptions(runtimeNamed(model.runtime), model.runtimeOptions, `model ${model.name}`);
  return model;
}

async function find(spec: ModelSpec, signal?: AbortSignal): Promise<ResolvedModel> {
  if ('zoo' in spec) return modelNamed(spec.zoo).resolve(signal);
  if ('path' in spec) {
    const file = await fileModel(spec.path, spec.name, spec.root, {}, spec.runtime).resolve(signal);
    if (!spec.made) return file;
    const { processing, states } = definitionOf(spec) ?? {};
    return {
      ...file,
      processing,
      states,
      provenance: madeBy(spec.made),
    };
  }
  return {
    name: spec.name ?? runtimeNamed(spec.runtime).name,
    version: '1',
    runtime: spec.runtime,
    runtimeOptions: {},
    path: undefined,
    sha256: undefined,
    provenance: `runtime ${spec.runtime}`,
  };
}

function madeBy(made: MadeModel): string {
  const names = made.passes.map(({ name }) => name).join(', ');
  const form = conversionOf(made);
  return [...(names ? [`made by ${names}`] : []), ...(form ? [`converted to ${form}`] : [])].join(', ');
}
