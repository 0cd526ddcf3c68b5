import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Linux only: processes are found by /proc. */
export const HAS_PROC = process.platform === 'linux';

export interface ProcessEntry {
  readonly pid: number;
  /** Arguments, joined by blanks. */
  readonly command: string;
}

/** Every process below that one, at any depth. */
export function descendants(pid: number): ProcessEntry[] {
  return childPids(pid).flatMap((child) => [{ pid: child, command: commandOf(child) }, ...descendants(child)]);
}

/** True where the process runs; a zombie that its parent has not read yet is dead. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** CPU time that the process has used, in ticks of 10 ms; undefined where it is gone. */
export function cpuTicks(pid: number): number | undefined {
  if (!isAlive(pid)) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Waits for the first value that is there. Rejects after `patienceMs`, saying what it waited for. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = 15_000,
): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
}

/** A process below `pid` whose command holds `program` (`load-process.js`), once it is there. */
export function child(pid: number, program: string): Promise<ProcessEntry> {
  return until(program, () => descendants(pid).find(({ command }) => command.includes(program)));
}

/** Waits until none of them runs any more. */
export async function gone(processes: readonly ProcessEntry[], patienceMs = 10_000): Promise<void> {
  const left = () => processes.filter(({ pid }) => isAlive(pid));
  await until(
    `the end of ${processes.map(({ command }) => command).join('; ')}`,
    () => left().length === 0,
    patienceMs,
  );
}

function childPids(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const text = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')).join(' ');
    return text.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return []; // It has ended meanwhile.
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
