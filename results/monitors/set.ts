import { nowNs } from '../clock.js';
import { messageOf } from '../errors.js';
import { checked, lookUp } from '../lookup.js';
import { Readings, type Series } from '../readings.js';
import type { MonitorReport, ProcessUsage } from '../summary.js';
import type { EventLoopFigures, Monitor, MonitorContext, MonitorDefinition, MonitorTarget } from './contract.js';
import { type RecentReading, recentReadings } from './recent.js';
import { monitors } from './registry.js';

/** A monitor and its options, as a scenario names it. */
export interface MonitorChoice {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What to read, how often. No choice: the defaults that can run here. */
export interface MonitorSettings {
  readonly choices?: readonly MonitorChoice[] | undefined;
  readonly periodMs?: number | undefined;
}

/** All monitors of one trial. */
export interface MonitorSet {
  readonly periodMs: number;
  /** The server must have an address over HTTP. */
  readonly needsUrl: boolean;
  watch(target: MonitorTarget): void;
  hear(role: string, figures: EventLoopFigures): void;
  /** A course of values that somebody else reads: a reading is added with the instant of the call. */
  series(series: Series): (value: number | null) => void;
  /** Waits while an idle server is measured, where a monitor wants that; at once otherwise. */
  idle(signal?: AbortSignal): Promise<void>;
  /** Begin the measured window. */
  mark(): void;
  /** What was read within the last second, for displays. */
  recent(): readonly RecentReading[];
  /** End it. The second call answers what the first did. */
  stop(): Promise<Monitored>;
}

export interface Monitored {
  readonly processes: readonly ProcessUsage[];
  /** `originMs`: the load's t = 0 by the wall clock. */
  readings(originMs: number): Readings;
  readonly reports: readonly MonitorReport[];
}

const DEFAULT_PERIOD_MS = 100;

/**
 * Starts what is asked for, else the defaults. What can't run here is reported as absent with its reason and ends nothing.
 * Throws UserError for names and options that don't exist.
 */
export async function startMonitors(settings: MonitorSettings = {}): Promise<MonitorSet> {
  const periodMs = settings.periodMs ?? DEFAULT_PERIOD_MS;
  const readings = new Readings();
  const clocks = { wallMs: Date.now(), monotonicNs: nowNs() };
  const runners: Runner[] = [];
  for (const { definition, options, standsIn } of chosen(settings.choices)) {
    const first = standsIn ? runners.find((runner) => runner.definition.name === definition.standsInFor) : undefined;
    if (first?.working()) continue;
    const runner = new Runner(definition, options, periodMs, readings);
    await runner.start();
    runners.push(runner);
  }
  return running(runners, readings, clocks, periodMs);
}

/** A monitor as a scenario or a command names it: is there one, has it such options? Throws UserError. */
export function checkMonitor({ name, options }: MonitorChoice, place: string): void {
  checked(lookUp<MonitorDefinition>(monitors, name, 'monitor', place).options, options, place);
}

interface Choice {
  readonly definition: MonitorDefinition;
  readonly options: Readonly<Record<string, unknown>>;
  readonly standsIn: boolean;
}

function chosen(choices: MonitorSettings['choices']): Choice[] {
  if (choices === undefined)
    return (monitors as readonly MonitorDefinition[])
      .filter(({ byDefault }) => byDefault)
      .map((definition) => ({ definition, options: definition.options.parse({}), standsIn: true }));
  return choices.map(({ name, options }) => {
    const definition = lookUp<MonitorDefinition>(monitors, name, 'monitor', 'monitors');
    return { definition, options: checked(definition.options, options, `monitors.${name}`), standsIn: false };
  });
}

function running(
  runners: readonly Runner[],
  readings: Readings,
  clocks: { readonly wallMs: number; readonly monotonicNs: number },
  periodMs: number,
): MonitorSet {
  // A stall of this process delays readings and falsifies none: each carries its own instant.
  const sample = () => {
    for (const runner of runners) runner.sample();
  };
  const timer = setInterval(sample, periodMs).unref();
  const each = (work: (monitor: Monitor) => void) => {
    for (const runner of runners) runner.call(work);
  };
  const roles = new Map<string, number>();
  let ended: Promise<Monitored> | undefined;
  const end = async (): Promise<Monitored> => {
    clearInterval(timer);
    for (const runner of runners) await runner.stop();
    return {
      processes: runners.flatMap(({ processes }) => processes),
      reports: runners.map((runner) => runner.report()),
      readings(originMs) {
        readings.shift(clocks.monotonicNs + (originMs - clocks.wallMs) * 1e6);
        return readings;
      },
    };
  };
  return {
    periodMs,
    needsUrl: runners.some((runner) => runner.needsUrl),
    watch(target) {
      const nth = (roles.get(target.role) ?? 0) + 1;
      roles.set(target.role, nth);
      const subject = nth === 1 ? target.role : `${target.role}${nth}`;
      each((monitor) => monitor.watch?.({ subject, ...target }));
    },
    hear: (role, figures) => each((monitor) => monitor.hear?.(role, figures)),
    mark: () => each((monitor) => monitor.mark?.()),
    series: (series) => {
      const number = readings.open(series);
      return (value) => readings.add(number, nowNs(), value);
    },
    recent: () => recentReadings(readings),
    async idle(signal) {
      const ms = Math.max(0, ...runners.map((runner) => runner.idleMs));
      if (ms === 0) return;
      // A reading outside each edge, so that a counter can be told there.
      sample();
      const fromNs = nowNs();
      await sleep(ms, signal);
      readings.idle = { fromNs, toNs: nowNs() };
      sample();
    },
    stop() {
      ended ??= end();
      return ended;
    },
  };
}

/** One monitor, its cost, and what became of it. */
class Runner {
  processes: readonly ProcessUsage[] = [];
  #monitor: Monitor | undefined;
  #state: MonitorReport['state'] = 'absent';
  #reason: string | undefined;
  #rounds = 0;
  #cpuMicros = 0;
  #programSeconds: number | null = 0;
  readonly #startedNs = nowNs();
  #endedNs: number | undefined;

  constructor(
    readonly definition: MonitorDefinition,
    private readonly options: Readonly<Record<string, unknown>>,
    private readonly periodMs: number,
    private readonly readings: Readings,
  ) {}

  get idleMs(): number {
    return (this.working() && this.#monitor?.idleMs) || 0;
  }

  get needsUrl(): boolean {
    return this.working() && this.#monitor?.needsUrl === true;
  }

  working(): boolean {
    return this.#state === 'ran';
  }

  async start(): Promise<void> {
    try {
      this.#reason = await this.definition.unavailable(this.options);
      if (this.#reason !== undefined) return;
      this.#state = 'ran';
      this.#monitor = await this.definition.start(this.#context());
    } catch (error) {
      this.#state = 'absent';
      this.#reason = messageOf(error);
    }
  }

  sample(): void {
    this.#rounds++;
    this.call((monitor) => monitor.sample?.());
  }

  /** A monitor that breaks is out, and the trial goes on. */
  call(work: (monitor: Monitor) => void): void {
    const monitor = this.#monitor;
    if (!monitor || this.#state !== 'ran') return;
    try {
      this.#charged(() => work(monitor));
    } catch (error) {
      this.#failed(messageOf(error));
    }
  }

  async stop(): Promise<void> {
    this.#endedNs = nowNs();
    if (!this.#monitor) return;
    this.call((monitor) => monitor.sample?.());
    try {
      const { processes = [], programCpuSeconds = 0 } = await this.#monitor.stop();
      this.processes = processes;
      this.#programSeconds = programCpuSeconds;
    } catch (error) {
      this.#failed(messageOf(error));
    }
  }

  report(): MonitorReport {
    const { name } = this.definition;
    return {
      ...{ name, state: this.#state, reason: this.#reason, periodMs: this.periodMs, rounds: this.#rounds },
      cpuSeconds: this.#programSeconds === null ? null : this.#cpuMicros / 1e6 + this.#programSeconds,
      elapsedSeconds: ((this.#endedNs ?? nowNs()) - this.#startedNs) / 1e9,
    };
  }

  #context(): MonitorContext {
    return {
      options: this.options,
      periodMs: this.periodMs,
      series: (subject, metric, unit, kind) => {
        const number = this.readings.open({ source: this.definition.name, subject, metric, unit, kind });
        return (value, reason) => this.readings.add(number, nowNs(), value, reason);
      },
      failed: (reason) => this.#failed(reason),
      charged: (work) => this.#charged(work),
    };
  }

  /** All threads of this process count: garbage collection of what the monitor allocates is its cost too. */
  #charged<Result>(work: () => Result): Result {
    const before = process.cpuUsage();
    try {
      return work();
    } finally {
      const { user, system } = process.cpuUsage(before);
      this.#cpuMicros += user + system;
    }
  }

  #failed(reason: string): void {
    this.#state = 'failed';
    this.#reason ??= reason;
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
