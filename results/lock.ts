import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from './errors.js';
import { fileError, readJsonIfWhole, systemCode } from './files.js';

/** Who holds a lock. `startTicks` tells a process from a later one that was given the same pid; null where unknown. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startTicks: string | null;
}

/**
 * Takes the lock file, so that two runs never write one folder; returns its release. A lock whose process is dead is taken
 * over. Throws UserError where somebody holds it.
 */
export function takeLock(path: string): () => void {
  const mine: Holder = { pid: process.pid, host: hostname(), startTicks: startTicks(process.pid) };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (create(path, mine)) return () => release(path, mine);
    const holder = holderOf(path);
    if (holder && isAlive(holder)) throw heldBy(path, holder);
    removeStale(path, holder);
  }
  throw heldBy(path, holderOf(path));
}

/** True where a living process (or one on another host, which can't be asked) holds the lock. */
export function isLocked(path: string): boolean {
  const holder = holderOf(path);
  return holder !== undefined && isAlive(holder);
}

function create(path: string, holder: Holder): boolean {
  try {
    const descriptor = openSync(path, 'wx');
    writeSync(descriptor, JSON.stringify(holder));
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw fileError(path, error, 'the whole run');
  }
}

function release(path: string, mine: Holder): void {
  if (holderOf(path)?.pid === mine.pid) rmSync(path, { force: true });
}

/** Moves the lock aside and looks again: between reading and moving somebody may have taken it over. */
function removeStale(path: string, expected: Holder | undefined): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (holderOf(aside)?.pid !== expected?.pid) linkSync(aside, path);
    rmSync(aside, { force: true });
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw fileError(path, error, 'the whole run');
  }
}

function holderOf(path: string): Holder | undefined {
  const found = readJsonIfWhole(path) as Partial<Holder> | undefined;
  if (typeof found?.pid !== 'number' || typeof found.host !== 'string') return undefined;
  return { pid: found.pid, host: found.host, startTicks: found.startTicks ?? null };
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if (systemCode(error) !== 'EPERM') return false;
  }
  const now = startTicks(holder.pid);
  return now === null || holder.startTicks === null || now === holder.startTicks;
}

/** Start time of a process in ticks since boot: field 22 of `/proc/pid/stat`. */
function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function heldBy(path: string, holder: Holder | undefined): UserError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new UserError({
    place: path,
    found: `${who} is writing this run`,
    remedy: 'Wait for it, or delete the file if you know that it is not running',
  });
}
