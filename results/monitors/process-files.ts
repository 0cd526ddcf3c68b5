import { type Io, ProcFile, parseIo, parseStat, type Stat } from './proc-reader.js';

/** The files of one process that are read every period, kept open. */
export class ProcessFiles {
  private readonly stat: ProcFile;
  private readonly memory: ProcFile;
  private readonly ioFile: ProcFile;

  constructor(readonly pid: number) {
    this.stat = new ProcFile(`/proc/${pid}/stat`);
    this.memory = new ProcFile(`/proc/${pid}/statm`);
    this.ioFile = new ProcFile(`/proc/${pid}/io`);
  }

  /** Undefined once it is gone. */
  times(): Stat | undefined {
    const line = this.stat.read();
    return line ? parseStat(line) : undefined;
  }

  rssBytes(): number | undefined {
    const line = this.memory.read();
    return line ? residentPages(line) * pageBytes() : undefined;
  }

  /** Undefined once it is gone, or where it is another user's. */
  io(): Io | undefined {
    const text = this.ioFile.read();
    return text ? parseIo(text) : undefined;
  }

  get ioProblem(): string | undefined {
    return this.ioFile.problem;
  }

  close(): void {
    for (const file of [this.stat, this.memory, this.ioFile]) file.close();
  }
}

/** Field 2 of statm, in pages. */
function residentPages(statm: string): number {
  return Number(statm.split(' ', 2)[1]);
}

let knownPageBytes: number | undefined;

/** Node knows its own memory in bytes, the kernel in pages: the ratio, a power of two, is the page size (4 to 64 KiB). */
function pageBytes(): number {
  if (knownPageBytes !== undefined) return knownPageBytes;
  const file = new ProcFile('/proc/self/statm');
  const line = file.read();
  file.close();
  const ratio = line ? process.memoryUsage.rss() / residentPages(line) : 4096;
  knownPageBytes = 2 ** Math.round(Math.log2(ratio));
  return knownPageBytes;
}
