import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { apart, type SampleLibrary, samplesNamed } from '../clients/samples/index.js';
import { cacheFolder } from '../results/cache.js';
import { thrownAt, UserError } from '../results/errors.js';
import { readJsonIfWhole } from '../results/files.js';
import { version } from '../results/package.js';
import { sha256Of } from '../servers/models/file.js';
import { type MadeModel, type ModelSpec, type ResolvedModel, resolveModel } from '../servers/models/index.js';
import { PLAN_ENDING } from '../servers/runtimes/index.js';
import { convertTfjs } from './convert/index.js';
import { modelSamples } from './model-samples.js';
import { type OnnxModel, readModel } from './onnx/index.js';
import { applyPass, original } from './optimize.js';
import { passNamed } from './passes/index.js';
import { type VariantProvenance, writeVariant } from './variant.js';

/** Where a made model lies in the cache, a split one's plan: the same parent, passes, samples and program give the same place. */
export function variantPath(made: MadeModel): string {
  const key = createHash('sha256')
    .update(JSON.stringify([made, version]))
    .digest('hex')
    .slice(0, 16);
  const name = [parentName(made.parent), ...made.passes.map(({ name }) => name)].join('+');
  const isSplit = made.passes.some((pass) => passNamed(pass.name).splits);
  const ending = made.form === 'tfjs' ? '.json' : isSplit ? PLAN_ENDING : '.onnx';
  return join(cacheFolder(), 'variants', key, `${name}${ending}`);
}

/**
 * The variant's file or plan, made now unless a whole one of the same parent bytes is there. Throws UserError with the reason of the pass
 * that could do nothing, at `place`.
 */
export async function makeVariant(
  path: string,
  made: MadeModel,
  place: string,
  signal?: AbortSignal,
): Promise<VariantProvenance> {
  const parent = await resolveModel(made.parent, signal);
  if (parent.path === undefined || parent.sha256 === undefined)
    throw new UserError({ place, found: 'passes rewrite ONNX files, and this model has none' });
  const known = await wholeVariant(path, parent.sha256);
  if (known) return known;
  const { name, path: file, sha256 } = parent;
  const source = { name, path: file, sha256, model: await at(place, async () => modelIn(file)) };
  let used: SampleLibrary | undefined;
  const samples = async () => {
    used ??= await samplesFor(made, parent, place);
    return used;
  };
  let variant = original(source.model);
  for (const step of made.passes) variant = await at(place, () => applyPass(variant, step, { place, samples, signal }));
  const out = made.form === 'tfjs' ? path : `${stemOf(path)}.onnx`;
  const seen = used ? { name: used.name, sha256: used.sha256 } : null;
  return at(place, async () => writeVariant(source, variant, out, { fidelity: null, samples: seen }));
}

/** Of an ONNX file, or what one of TensorFlow.js is in ONNX. */
function modelIn(path: string): OnnxModel {
  return extname(path) === '.json' ? convertTfjs(path) : readModel(path);
}

/** The provenance of what is there already; undefined where it is not whole, was changed, or has another parent. */
async function wholeVariant(path: string, parentSha256: string): Promise<VariantProvenance | undefined> {
  const stem = stemOf(path);
  const known = readJsonIfWhole(`${stem}.provenance.json`) as VariantProvenance | undefined;
  if (known?.parent?.sha256 !== parentSha256 || !existsSync(path)) return undefined;
  for (const { file, sha256 } of known.files) {
    const own = join(dirname(stem), file);
    if (!existsSync(own) || (await sha256Of(own)) !== sha256) return undefined;
  }
  return known;
}

/** Without its ending, a plan's too. */
function stemOf(path: string): string {
  const ending = path.endsWith(PLAN_ENDING) ? PLAN_ENDING : extname(path);
  return path.slice(0, -ending.length);
}

async function samplesFor({ samples }: MadeModel, parent: ResolvedModel, place: string): Promise<SampleLibrary> {
  if (samples === null || samples.forPasses === undefined)
    throw new UserError({
      place,
      found: samples === null ? 'no samples are given' : `none of the samples ${samples.name} are for passes`,
      remedy: `Add samples: { name: ${samples?.name ?? '…'}, forPasses: 1000 }: passes see so many, loads and accuracy the others`,
    });
  const { library, asInputs } = await modelSamples(samplesNamed(samples.name, place), parent, {
    seed: 1n,
    directory: samples.directory,
    count: samples.count,
    dims: samples.dims,
    bare: samples.bare,
  });
  return asInputs(apart(library, samples.forPasses).forPasses);
}

/** A pass's refusal, said at the place of the scenario. */
async function at<Value>(place: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw thrownAt(place, error);
  }
}

function parentName(spec: ModelSpec): string {
  if ('zoo' in spec) return spec.zoo;
  if ('path' in spec) return (spec.name ?? basename(spec.path, extname(spec.path))).replace(/[^\w.-]+/g, '-');
  return spec.runtime;
}
