import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../results/cache.js';
import { UserError } from '../../results/errors.js';
import { fetchPinned, missing, type PinnedFile, packageText, pinnedPath } from '../../results/packages.js';
import type { ProcessorChoice } from '../processing/index.js';
import type { ModelDefinition, ResolvedModel } from './contract.js';
import { sha256Of } from './file.js';

/** A model that a package carries, with the files that belong to it: a vocabulary, names of classes. */
export interface PackagedModel extends ModelDefinition {
  /** The model, or what it is made of. */
  readonly model: PinnedFile;
  /** The ONNX file is made of it once, by a converter of optimizers/convert; the hash of what that must give. */
  readonly made?: { readonly by: string; readonly sha256: string };
  /** By role; `pre` and `post` of the entry read them. */
  readonly files: Readonly<Record<string, PinnedFile>>;
}

interface Entry extends Omit<PackagedModel, 'resolve' | 'runtime' | 'files' | 'processing'> {
  readonly files?: PackagedModel['files'];
  readonly pre?: ProcessorChoice | undefined;
  readonly post?: ProcessorChoice | undefined;
}

/** Completes an entry of the zoo: it resolves to the fetched file, once all that belongs to it is here. */
export function packaged(entry: Entry): PackagedModel {
  const { name, model, files = {}, pre, post, states } = entry;
  const paths = Object.fromEntries(Object.entries(files).map(([role, pin]) => [role, pinnedPath(pin)]));
  const processing = pre || post ? { pre, post, files: paths } : undefined;
  return {
    ...entry,
    files,
    processing,
    runtime: 'onnx',
    async resolve(signal): Promise<ResolvedModel> {
      const absent = missing([model, ...Object.values(files)]);
      if (absent.length > 0 || !existsSync(modelPath(entry)))
        throw notFetched(name, absent.length > 0 ? absent : [model]);
      const path = modelPath(entry);
      const sha256 = await sha256Of(path, signal);
      const wanted = (entry.made ?? model).sha256;
      if (sha256 !== wanted) throw differs(name, path, sha256, wanted);
      const by = entry.made ? `, made by ${entry.made.by}` : '';
      const provenance = `${packageText(model)}, ${model.file ?? 'the package'}, ${model.licence}${by}`;
      return { name, version: '1', runtime: 'onnx', runtimeOptions: {}, path, sha256, provenance, processing, states };
    },
  };
}

/** Everything of it is in the cache. */
export function isFetched(entry: PackagedModel): boolean {
  return pinsOf(entry).every((pin) => existsSync(pinnedPath(pin))) && existsSync(modelPath(entry));
}

/** Where the ONNX file lies, or will. */
export function modelPath({ name, model, made }: Pick<PackagedModel, 'name' | 'model' | 'made'>): string {
  return made ? join(cacheFolder(), 'models', made.sha256.slice(0, 16), `${name}.onnx`) : pinnedPath(model);
}

/** The files of an entry, the model first. */
export function pinsOf({ model, files }: PackagedModel): readonly PinnedFile[] {
  return [model, ...Object.values(files)];
}

/** The licences of an entry's files, each once. */
export function licencesOf(entry: PackagedModel): readonly string[] {
  return [...new Set(pinsOf(entry).map(({ licence }) => licence))];
}

/** Fetches the model, or what it is made of, and what belongs to it. Throws UserError with why that can't be. */
export async function pull(entry: PackagedModel, signal?: AbortSignal): Promise<void> {
  await fetchPinned(pinsOf(entry), `model ${entry.name}`, signal);
}

function notFetched(name: string, absent: readonly PinnedFile[]): UserError {
  const from = [...new Set(absent.map((pin) => `${packageText(pin)}, licence ${pin.licence}`))];
  return new UserError({
    place: `model ${name}`,
    found: 'it was not fetched yet',
    remedy: `servemark models pull ${name}   (${from.join('; ')})`,
  });
}

function differs(name: string, place: string, sha256: string, wanted: string): UserError {
  return new UserError({
    place,
    found: `its SHA-256 ${sha256} is not the pinned one of ${name}`,
    allowed: wanted,
    remedy: 'Remove the file and fetch it again',
  });
}
