import type { ProcessUsage } from '../summary.js';
import type { MonitorContext, Writer } from './contract.js';
import {
  contextSwitches,
  descendants,
  type Io,
  ProcFile,
  parseStat,
  SECONDS_PER_TICK,
  type Stat,
} from './proc-reader.js';
import { ProcessFiles } from './process-files.js';

/**
 * One process and all its children, followed as they come and go, as readings and as the usage between mark and stop. A
 * process that ends keeps its last reading.
 *
 * Every period: stat, statm and io of each process on kept descriptors. Every fifth: who the children are. Every tenth:
 * context switches, which the kernel tells thread by thread only.
 */
export class ProcessWatch {
  private readonly root: ProcessFiles;
  private readonly mainThread: ProcFile;
  private children = new Map<number, ProcessFiles>();
  private readonly write: Writers;
  private rounds = 0;
  private first: Reading | undefined;
  private last: Reading | undefined;
  private peak = { rssBytes: 0, threads: 0 };
  private gone = false;

  constructor(
    private readonly role: string,
    pid: number,
    series: MonitorContext['series'],
    subject = role,
  ) {
    this.root = new ProcessFiles(pid);
    this.mainThread = new ProcFile(`/proc/${pid}/task/${pid}/stat`);
    this.write = writers(role, subject, series);
    this.mark();
  }

  mark(): void {
    this.peak = { rssBytes: 0, threads: 0 };
    this.first = this.reading(true);
    this.last = this.first;
  }

  sample(): void {
    if (this.gone) return;
    const now = this.reading(this.rounds++ % 10 === 0);
    if (now) this.write.all(now, this.root.ioProblem);
    else this.write.gap('the process has ended');
    this.gone = now === undefined;
  }

  stop(): readonly ProcessUsage[] {
    const end = this.gone ? undefined : this.reading(true);
    if (end) this.write.all(end, this.root.ioProblem);
    for (const files of [this.root, this.mainThread, ...this.children.values()]) files.close();
    const { first, last, peak } = this;
    if (!first || !last) return [];
    const memory = {
      rssPeakBytes: peak.rssBytes,
      rssFirstBytes: first.rssBytes,
      rssLastBytes: last.rssBytes,
      contextSwitches: switched(first, last),
      io: transferred(first.io, last.io),
      threadsPeak: peak.threads,
    };
    const total = difference(last.total, first.total);
    if (this.role !== 'server') return [{ role: this.role, ...seconds(total), ...memory }];
    const main = difference(last.main, first.main);
    return [
      { role: 'server', ...seconds(main), ...memory },
      { role: 'workers', ...seconds(difference(total, main)), ...NO_MEMORY },
    ];
  }

  /** The tree as it stands; undefined once its root is gone. `thorough`: with context switches and fresh children. */
  private reading(thorough: boolean): Reading | undefined {
    if (thorough || this.rounds % 5 === 0) this.follow();
    const whole = this.root.times();
    const mainLine = this.mainThread.read();
    if (!whole || !mainLine) return undefined;
    const living = [whole, ...[...this.children.values()].flatMap((child) => child.times() ?? [])];
    const reading: Reading = {
      main: parseStat(mainLine),
      total: living.reduce(
        (sum, each) => ({ user: sum.user + treeUser(each), system: sum.system + treeSystem(each) }),
        NONE,
      ),
      rssBytes: this.sum((files) => files.rssBytes()) ?? 0,
      threads: living.reduce((sum, each) => sum + each.threads, 0),
      io: this.io(),
      switches: thorough ? this.switches() : this.last?.switches,
      thorough,
    };
    this.peak = {
      rssBytes: Math.max(this.peak.rssBytes, reading.rssBytes),
      threads: Math.max(this.peak.threads, reading.threads),
    };
    this.last = reading;
    return reading;
  }

  private follow(): void {
    const pids = new Set(descendants(this.root.pid));
    for (const [pid, files] of this.children)
      if (!pids.has(pid)) {
        files.close();
        this.children.delete(pid);
      }
    for (const pid of pids) if (!this.children.has(pid)) this.children.set(pid, new ProcessFiles(pid));
  }

  private sum(of: (files: ProcessFiles) => number | undefined): number | undefined {
    const own = of(this.root);
    if (own === undefined) return undefined;
    let sum = own;
    for (const child of this.children.values()) sum += of(child) ?? 0;
    return sum;
  }

  private io(): Io | undefined {
    const all = [this.root, ...this.children.values()].flatMap((files) => files.io() ?? []);
    if (all.length === 0) return undefined;
    return all.reduce((a, b) => ({
      readBytes: a.readBytes + b.readBytes,
      writeBytes: a.writeBytes + b.writeBytes,
      readCalls: a.readCalls + b.readCalls,
      writeCalls: a.writeCalls + b.writeCalls,
    }));
  }

  private switches(): Switches | undefined {
    const all = [this.root.pid, ...this.children.keys()].flatMap((pid) => contextSwitches(pid) ?? []);
    if (all.length === 0) return undefined;
    return all.reduce((a, b) => ({ voluntary: a.voluntary + b.voluntary, involuntary: a.involuntary + b.involuntary }));
  }
}

type Times = Pick<Stat, 'user' | 'system'>;
type Switches = { readonly voluntary: number; readonly involuntary: number };

interface Reading {
  readonly main: Times;
  /** The whole tree: what lives by its own counters, what ended by what its parent was credited with. */
  readonly total: Times;
  readonly rssBytes: number;
  readonly threads: number;
  readonly io: Io | undefined;
  readonly switches: Switches | undefined;
  /** The switches are of this instant. */
  readonly thorough: boolean;
}

interface Writers {
  all(reading: Reading, ioProblem: string | undefined): void;
  gap(reason: string): void;
}

function writers(role: string, subject: string, series: MonitorContext['series']): Writers {
  const counter = (metric: string, unit: string) => series(subject, metric, unit, 'counter');
  const cpu = cpuWriters(subject, series);
  const workers =
    role === 'server' ? cpuWriters(subject === role ? 'workers' : `${subject}.workers`, series) : undefined;
  const memory = series(subject, 'rss', 'bytes', 'gauge');
  const threads = series(subject, 'threads', 'count', 'gauge');
  const voluntary = counter('voluntarySwitches', 'count');
  const involuntary = counter('involuntarySwitches', 'count');
  const io: readonly (readonly [keyof Io, Writer])[] = [
    ['readBytes', counter('readBytes', 'bytes')],
    ['writeBytes', counter('writeBytes', 'bytes')],
    ['readCalls', counter('readCalls', 'count')],
    ['writeCalls', counter('writeCalls', 'count')],
  ];
  return {
    all(reading, ioProblem) {
      cpu(workers ? reading.main : reading.total);
      workers?.(difference(reading.total, reading.main));
      memory(reading.rssBytes);
      threads(reading.threads);
      const problem = reading.io ? undefined : `/proc/…/io can't be read (${ioProblem ?? 'gone'})`;
      for (const [name, write] of io) write(reading.io?.[name] ?? null, problem);
      if (!reading.thorough) return;
      voluntary(reading.switches?.voluntary ?? null, reading.switches ? undefined : 'no thread could be read');
      involuntary(reading.switches?.involuntary ?? null, reading.switches ? undefined : 'no thread could be read');
    },
    gap(reason) {
      memory(null, reason);
      threads(null, reason);
    },
  };
}

/** `cpu` is user and system together: its growth a second is cores. */
function cpuWriters(subject: string, series: MonitorContext['series']): (times: Times) => void {
  const [all, user, system] = ['cpu', 'cpuUser', 'cpuSystem'].map((metric) => series(subject, metric, 's', 'counter'));
  return (times) => {
    const { userSeconds, systemSeconds } = seconds(times);
    all!(userSeconds + systemSeconds);
    user!(userSeconds);
    system!(systemSeconds);
  };
}

const NONE: Times = { user: 0, system: 0 };
/** Threads share the memory of their process, which is counted there. */
const NO_MEMORY = { rssPeakBytes: null, rssFirstBytes: null, rssLastBytes: null };

function treeUser({ user, childUser }: Stat): number {
  return user + childUser;
}

function treeSystem({ system, childSystem }: Stat): number {
  return system + childSystem;
}

/** Threads that ended take their count with them: the difference may not fall below none. */
function switched(first: Reading, last: Reading): ProcessUsage['contextSwitches'] {
  if (!first.switches || !last.switches) return null;
  return {
    voluntary: Math.max(0, last.switches.voluntary - first.switches.voluntary),
    involuntary: Math.max(0, last.switches.involuntary - first.switches.involuntary),
  };
}

function transferred(first: Io | undefined, last: Io | undefined): ProcessUsage['io'] {
  if (!first || !last) return null;
  return {
    readBytes: Math.max(0, last.readBytes - first.readBytes),
    writeBytes: Math.max(0, last.writeBytes - first.writeBytes),
    readCalls: Math.max(0, last.readCalls - first.readCalls),
    writeCalls: Math.max(0, last.writeCalls - first.writeCalls),
  };
}

function difference(later: Times, earlier: Times): Times {
  return { user: later.user - earlier.user, system: later.system - earlier.system };
}

function seconds({ user, system }: Times): { readonly userSeconds: number; readonly systemSeconds: number } {
  return {
    userSeconds: Math.max(0, user) * SECONDS_PER_TICK,
    systemSeconds: Math.max(0, system) * SECONDS_PER_TICK,
  };
}
