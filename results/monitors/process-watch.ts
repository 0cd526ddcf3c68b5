import type { ProcessUsage } from '../summary.js';
import { contextSwitches, descendants, ProcFile, parseStat, SECONDS_PER_TICK, type Ticks } from './proc-reader.js';

/** One process and its children over the measured window. A process that ends keeps its last reading. */
export class ProcessWatch {
  private readonly whole: ProcFile;
  private readonly mainThread: ProcFile;
  private readonly memory: ProcFile;
  private children: ProcFile[] = [];
  private first: Reading | undefined;
  private last: Reading | undefined;
  private rss: { readonly first: number; readonly last: number; readonly peak: number } | undefined;

  constructor(
    private readonly role: string,
    private readonly pid: number,
  ) {
    this.whole = new ProcFile(`/proc/${pid}/stat`);
    this.mainThread = new ProcFile(`/proc/${pid}/task/${pid}/stat`);
    this.memory = new ProcFile(`/proc/${pid}/statm`);
    this.mark();
  }

  mark(): void {
    for (const child of this.children) child.close();
    this.children = descendants(this.pid).map((pid) => new ProcFile(`/proc/${pid}/statm`));
    this.rss = undefined;
    this.first = this.reading();
    this.last = this.first;
    this.sample();
  }

  /** Resident memory of the process and its children; CPU time too, lest it end before the last reading. Three reads. */
  sample(): void {
    const times = this.times();
    if (times && this.last) this.last = { ...this.last, ...times };
    const own = residentBytes(this.memory);
    if (own === undefined) return;
    const now = this.children.reduce((sum, child) => sum + (residentBytes(child) ?? 0), own);
    this.rss = { first: this.rss?.first ?? now, last: now, peak: Math.max(now, this.rss?.peak ?? 0) };
  }

  stop(): readonly ProcessUsage[] {
    this.sample();
    this.last = this.reading() ?? this.last;
    for (const file of [this.whole, this.mainThread, this.memory, ...this.children]) file.close();
    const { first, last, rss } = this;
    if (!first || !last) return [];
    const memory = {
      rssPeakBytes: rss?.peak ?? null,
      rssFirstBytes: rss?.first ?? null,
      rssLastBytes: rss?.last ?? null,
      contextSwitches: switched(first, last),
    };
    const total = add(difference(last.whole, first.whole), childTime(first, last));
    if (this.role !== 'server') return [{ role: this.role, ...seconds(total), ...memory }];
    const main = difference(last.mainThread, first.mainThread);
    return [
      { role: 'server', ...seconds(main), ...memory },
      { role: 'workers', ...seconds(difference(total, main)), ...NO_MEMORY },
    ];
  }

  private times(): Pick<Reading, 'whole' | 'mainThread'> | undefined {
    const whole = this.whole.read();
    const mainThread = this.mainThread.read();
    return whole && mainThread ? { whole: parseStat(whole), mainThread: parseStat(mainThread) } : undefined;
  }

  /** With children and context switches: a walk through the process's threads, for the window's edges only. */
  private reading(): Reading | undefined {
    const times = this.times();
    if (!times) return undefined;
    const children = new Map(descendants(this.pid).map((pid) => [pid, statOf(pid)]));
    return { ...times, children, switches: contextSwitches(this.pid) };
  }
}

interface Reading {
  readonly whole: Ticks;
  readonly mainThread: Ticks;
  readonly children: ReadonlyMap<number, Ticks>;
  readonly switches: ReturnType<typeof contextSwitches>;
}

const NONE: Ticks = { user: 0, system: 0, childUser: 0, childSystem: 0 };
/** Threads share the memory of their process, which is counted there. */
const NO_MEMORY = { rssPeakBytes: null, rssFirstBytes: null, rssLastBytes: null };

/** Living children by their own counters; ended ones by what their parent was credited with, less what they had before. */
function childTime(first: Reading, last: Reading): Ticks {
  let total = NONE;
  for (const [pid, now] of last.children) total = add(total, difference(now, first.children.get(pid) ?? NONE));
  const ended = difference(last.whole, first.whole);
  let credited: Ticks = { ...NONE, user: ended.childUser, system: ended.childSystem };
  for (const [pid, before] of first.children) if (!last.children.has(pid)) credited = difference(credited, before);
  return add(total, { ...credited, user: Math.max(0, credited.user), system: Math.max(0, credited.system) });
}

function switched(first: Reading, last: Reading): ProcessUsage['contextSwitches'] {
  if (!first.switches || !last.switches) return null;
  // Threads that ended take their count with them: the difference may not fall below none.
  return {
    voluntary: Math.max(0, last.switches.voluntary - first.switches.voluntary),
    involuntary: Math.max(0, last.switches.involuntary - first.switches.involuntary),
  };
}

function difference(later: Ticks, earlier: Ticks): Ticks {
  return {
    user: later.user - earlier.user,
    system: later.system - earlier.system,
    childUser: later.childUser - earlier.childUser,
    childSystem: later.childSystem - earlier.childSystem,
  };
}

function add(a: Ticks, b: Ticks): Ticks {
  return difference(a, difference(NONE, b));
}

function seconds({ user, system }: Ticks): { readonly userSeconds: number; readonly systemSeconds: number } {
  return {
    userSeconds: Math.max(0, user) * SECONDS_PER_TICK,
    systemSeconds: Math.max(0, system) * SECONDS_PER_TICK,
  };
}

function statOf(pid: number): Ticks {
  const file = new ProcFile(`/proc/${pid}/stat`);
  const line = file.read();
  file.close();
  return line ? parseStat(line) : NONE;
}

/** Field 2 of statm, in pages. */
function residentBytes(file: ProcFile): number | undefined {
  const line = file.read();
  return line ? residentPages(line) * pageBytes() : undefined;
}

function residentPages(statm: string): number {
  return Number(statm.split(' ')[1]);
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
