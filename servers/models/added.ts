import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { accuracyMetrics } from '../../results/accuracy/index.js';
import { cacheFolder } from '../../results/cache.js';
import { messageOf, UserError } from '../../results/errors.js';
import { readJsonIfWhole, writeJsonAtomic } from '../../results/files.js';
import { lookUp } from '../../results/lookup.js';
import { type PinnedFile, pinnedPath } from '../../results/packages.js';
import { processors } from '../processing/index.js';
import type { ModelDefinition } from './contract.js';
import { fileModel, sha256Of } from './file.js';
import { type PackagedModel, packaged } from './packaged.js';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 of 64 hexadecimal digits');

const localFile = z.strictObject({ path: z.string().min(1), sha256: hash.optional() });

const packagedFile = z.strictObject({
  client: z.enum(['npm', 'pip']),
  package: z.string().regex(/^(@[a-z0-9._~-]+\/)?[A-Za-z0-9][A-Za-z0-9._~-]*$/, 'must be the name of a package'),
  version: z.string().regex(/^\d[A-Za-z0-9.+-]*$/, 'must be one version, like 1.0.3'),
  file: z.string().min(1).describe('path inside the package; npm packages begin with package/'),
  bytes: z.number().int().positive().optional(),
  sha256: hash,
});

const processor = z.looseObject({ name: z.string() });

/** An entry as its author writes it. Paths are relative to the entry's file. */
export const entrySchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be up to 64 letters, digits, "-" and "_"'),
  summary: z.string().default('added by you'),
  licence: z.string().min(1),
  model: z.union([localFile, packagedFile], 'must be { path } or { client, package, version, file, sha256 }'),
  files: z.record(z.string(), z.union([localFile, packagedFile])).default({}),
  metric: z.enum(accuracyMetrics.map(({ name }) => name)).optional(),
  samples: z.string().optional(),
  pre: processor.optional(),
  post: processor.optional(),
  states: z.record(z.string(), z.string()).optional(),
});

export type Entry = z.output<typeof entrySchema>;

/** An entry whose files are all known by their hashes, paths absolute: what is stored. */
interface StoredEntry extends Omit<Entry, 'model' | 'files'> {
  readonly model: StoredFile;
  readonly files: Readonly<Record<string, StoredFile>>;
}

type StoredFile = { readonly path: string; readonly sha256: string } | z.output<typeof packagedFile>;

/** A model that is not known by its name before `keep`. */
interface NewModel {
  readonly definition: ModelDefinition | PackagedModel;
  keep(): void;
}

/**
 * A model of the user's, its own files hashed. Throws UserError where a file is missing or not the one whose hash is given, or
 * a processor is unknown.
 */
export async function newModel(entry: Entry, folder: string, place: string): Promise<NewModel> {
  for (const side of ['pre', 'post'] as const)
    if (entry[side])
      lookUp(
        processors.filter((each) => each.side === side),
        entry[side].name,
        `${side}processor`,
        `${place} ${side}`,
      );
  const files: Record<string, StoredFile> = {};
  for (const [role, file] of Object.entries(entry.files))
    files[role] = await stored(file, folder, `${place} files.${role}`);
  const whole = { ...entry, model: await stored(entry.model, folder, `${place} model`), files };
  return {
    definition: definitionOf(whole),
    keep: () => writeJsonAtomic(entryPath(entry.name), whole, 'the entry of this model'),
  };
}

/** The models that this user added, by name. An entry that can't be read is left out. */
export function addedModels(): readonly (ModelDefinition | PackagedModel)[] {
  const folder = dirname(entryPath('x'));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const entry = readJsonIfWhole(join(folder, name));
      return entry === undefined ? [] : [definitionOf(entry as StoredEntry)];
    });
}

function entryPath(name: string): string {
  return join(cacheFolder(), 'entries', `${name}.json`);
}

async function stored(
  file: z.output<typeof localFile> | z.output<typeof packagedFile>,
  folder: string,
  place: string,
): Promise<StoredFile> {
  if (!('path' in file)) return file;
  const path = resolve(folder, file.path);
  const sha256 = await sha256Of(path).catch((error: unknown) => {
    throw new UserError({ place, found: `${path} can't be read (${messageOf(error)})` }, { cause: error });
  });
  if (file.sha256 === undefined || file.sha256 === sha256) return { path, sha256 };
  throw new UserError({ place, found: `the SHA-256 of ${path} is ${sha256}`, allowed: file.sha256 });
}

function definitionOf(entry: StoredEntry): ModelDefinition | PackagedModel {
  const { name, summary, licence, model, files, metric, samples, pre, post, states } = entry;
  const choices = { pre: pre && choiceOf(pre), post: post && choiceOf(post) };
  const common = { name, summary, metric, samples, states };
  const known = Object.fromEntries(Object.entries(common).filter(([, value]) => value !== undefined)) as typeof common;
  if (!('path' in model)) {
    const pins = Object.fromEntries(
      Object.entries(files).flatMap(([role, file]) => ('path' in file ? [] : [[role, pinOf(file, licence)]])),
    );
    const entry = packaged({ ...(known as ModelDefinition), model: pinOf(model, licence), files: pins, ...choices });
    return { ...entry, processing: entry.processing && { ...entry.processing, files: pathsOf(files, licence) } };
  }
  const processing = pre || post ? { ...choices, files: pathsOf(files, licence) } : undefined;
  return {
    ...(known as ModelDefinition),
    runtime: 'onnx',
    licence,
    processing,
    async resolve(signal) {
      const found = await fileModel(model.path, name).resolve(signal);
      if (found.sha256 !== model.sha256)
        throw new UserError({
          place: `model ${name}: ${model.path}`,
          found: `its SHA-256 ${found.sha256} is not the one that was added`,
          allowed: model.sha256,
          remedy: 'If you changed it, add the model again',
        });
      return { ...found, processing, states, provenance: `${basename(model.path)}, ${licence}, added by the user` };
    },
  };
}

function choiceOf({ name, ...options }: z.output<typeof processor>) {
  return { name, options };
}

function pinOf(file: z.output<typeof packagedFile>, licence: string): PinnedFile {
  return { ...file, bytes: file.bytes ?? 0, licence };
}

function pathsOf(files: Readonly<Record<string, StoredFile>>, licence: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([role, file]) => [role, 'path' in file ? file.path : pinnedPath(pinOf(file, licence))]),
  );
}
