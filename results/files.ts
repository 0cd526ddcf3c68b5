import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, UserError } from './errors.js';

/**
 * Writes a file so that a reader finds the old content or the new one, never a half: a temporary file beside it, fsync,
 * rename. `loses` completes the sentence "what is lost is …" for the user who has a full disk. Throws UserError.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, loses: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    makeFolders(dirname(path));
    writeDurably(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw fileError(path, error, loses);
  }
}

/** `value` as indented JSON with a final newline, atomically. */
export function writeJsonAtomic(path: string, value: unknown, loses: string): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, loses);
}

/** The parsed file; undefined where it is absent, unreadable or not JSON (a crash may have left it so). */
export function readJsonIfWhole(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a file ends with the bytes of `text`; false where it can't be read. */
export function endsWith(path: string, text: string): boolean {
  const end = Buffer.alloc(Buffer.byteLength(text));
  try {
    const descriptor = openSync(path, 'r');
    try {
      const at = fstatSync(descriptor).size - end.length;
      return at >= 0 && readSync(descriptor, end, 0, end.length, at) === end.length && end.toString() === text;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

/** `mkdir -p`. Node's own says ENOENT where a file system is read-only; one folder alone says why. */
export function makeFolders(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    if (!existsSync(dirname(folder))) makeFolders(dirname(folder));
    mkdirSync(folder);
  }
}

/** The system's error code (`ENOSPC`), or undefined where it is no system error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** A failed write as the user should read it. */
export function fileError(path: string, error: unknown, loses: string): UserError {
  const known = REASONS[systemCode(error) ?? ''];
  return new UserError(
    {
      place: path,
      found: `${known?.found ?? messageOf(error)}; lost is ${loses}, nothing that was written before`,
      remedy: known ? `${known.remedy}${known.isPassing ? after(loses) : ''}` : 'Choose another folder for the results',
    },
    { cause: error },
  );
}

/** Only what a run loses of its trials is made up by going on with it. */
function after(loses: string): string {
  return /\btrials?\b|how the run ended/.test(loses) ? ', then go on with --resume' : ', then start it again';
}

interface Reason {
  readonly found: string;
  readonly remedy: string;
  /** What failed will do once this is mended. */
  readonly isPassing?: boolean;
}

const REASONS: Readonly<Record<string, Reason>> = {
  ENOSPC: { found: 'the disk is full', remedy: 'Free some space', isPassing: true },
  EDQUOT: { found: 'the disk quota is used up', remedy: 'Free some space', isPassing: true },
  EACCES: { found: 'no permission to write there', remedy: 'Choose a folder that you own' },
  EPERM: { found: 'no permission to write there', remedy: 'Choose a folder that you own' },
  EROFS: { found: 'the file system is read-only', remedy: 'Choose a folder on a writable file system' },
  EEXIST: { found: 'a file is in the way of a folder', remedy: 'Choose another folder' },
  ENOTDIR: { found: 'a part of the path is a file, not a folder', remedy: 'Choose another folder for the results' },
  EMFILE: { found: 'this process has too many files open', remedy: 'Raise the limit (ulimit -n)' },
};

function writeDurably(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const descriptor = openSync(path, 'w');
  try {
    // One call may write less than it was given (and at most 2 GiB).
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The first error is the one to tell.
  }
}
