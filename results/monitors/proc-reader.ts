import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** CPU time in ticks of 10 ms: USER_HZ is 100 on every Linux that Node runs on. */
export const SECONDS_PER_TICK = 0.01;

/** What a line of `/proc/…/stat` tells of a process or thread; times in ticks. */
export interface Stat {
  readonly user: number;
  readonly system: number;
  /** Of children that have ended and were waited for. */
  readonly childUser: number;
  readonly childSystem: number;
  readonly threads: number;
}

/** Fields of a line of `/proc/…/stat`. The name (field 2) may hold blanks and brackets: count from its last bracket. */
export function parseStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ', 18);
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return { user: field(14), system: field(15), childUser: field(16), childSystem: field(17), threads: field(20) };
}

/** `/proc/…/io`: bytes and calls of read and write, sockets and pipes included, ended threads and children too. */
export interface Io {
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readCalls: number;
  readonly writeCalls: number;
}

export function parseIo(text: string): Io {
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return {
    readBytes: field('rchar'),
    writeBytes: field('wchar'),
    readCalls: field('syscr'),
    writeCalls: field('syscw'),
  };
}

/** One file of `/proc` or `/sys`, kept open: a reading costs 2 µs instead of 10. Undefined once the process is gone. */
export class ProcFile {
  /** Why it could not be opened: `ENOENT`, `EACCES` … */
  readonly problem: string | undefined;
  private descriptor: number | undefined;

  constructor(path: string) {
    try {
      this.descriptor = openSync(path, 'r');
    } catch (error) {
      this.problem = (error as NodeJS.ErrnoException).code ?? 'unknown';
    }
  }

  /** At most 8 KiB of it. */
  read(): string | undefined {
    if (this.descriptor === undefined) return undefined;
    try {
      return BUFFER.toString('latin1', 0, readSync(this.descriptor, BUFFER, 0, BUFFER.length, 0));
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

/** Pids of all processes below this one. Empty where the kernel does not tell. */
export function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

/** Voluntary and involuntary context switches of all threads of a process that live; undefined once it is gone. */
export function contextSwitches(pid: number): { readonly voluntary: number; readonly involuntary: number } | undefined {
  let voluntary = 0;
  let involuntary = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
      voluntary += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0);
      involuntary += Number(/^nonvoluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0);
    }
  } catch {
    return undefined;
  }
  return { voluntary, involuntary };
}

const BUFFER = Buffer.alloc(8192);

/** Each thread has its own list of children. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
