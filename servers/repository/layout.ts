import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { type RepositoryConfig, readConfig } from './config.js';
import { insideRoot } from './served.js';

/** A model's folder: `NAME/1/model.onnx`, `NAME/2/…`, perhaps `NAME/config.pbtxt`. Source: Triton "Model Repository". */
export interface ModelFolder {
  readonly name: string;
  /** Folders that are numbers, as in Triton: others, and those that begin with 0, are ignored. */
  readonly versions: readonly string[];
  /** Or why it can't be read. */
  readonly config: RepositoryConfig | UserError;
}

/** All models of a repository, by name. Throws UserError where it is no folder. */
export function readFolders(root: string): ModelFolder[] {
  if (!isFolder(root))
    throw new UserError({
      place: `model repository ${root}`,
      found: 'there is no such folder',
      allowed: 'a folder of models: NAME/1/model.onnx',
    });
  return readdirSync(root)
    .sort()
    .flatMap((name) => readFolder(root, name) ?? []);
}

/** Undefined where the repository has no folder of that name. A name is one path segment, whatever a client sends. */
export function readFolder(root: string, name: string): ModelFolder | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) || !isFolder(join(root, name))) return undefined;
  const folder = join(root, name);
  try {
    insideRoot(root, folder, name);
    const config = readConfig(folder, name);
    if (config.name !== undefined && config.name !== '' && config.name !== name)
      throw new UserError({
        place: `${name}/config`,
        found: `its name is "${config.name}"`,
        allowed: `"${name}", or none`,
      });
    return { name, versions: versionsIn(folder), config };
  } catch (error) {
    if (error instanceof UserError) return { name, versions: [], config: error };
    throw error;
  }
}

function versionsIn(folder: string): string[] {
  return readdirSync(folder).filter((entry) => /^[1-9]\d*$/.test(entry) && isFolder(join(folder, entry)));
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
