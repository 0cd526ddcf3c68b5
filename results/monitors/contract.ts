import type { z } from 'zod';
import type { ReadingKind } from '../readings.js';
import type { ProcessUsage } from '../summary.js';

/** A source of device or process measurements. One file, one line in the registry. */
export interface MonitorDefinition {
  readonly name: string;
  readonly summary: string;
  /** Keys beside `name` in a scenario's `monitors`. */
  readonly options: z.ZodType<Readonly<Record<string, unknown>>>;
  /** Runs where a scenario says nothing. */
  readonly byDefault: boolean;
  /** By default it runs only where the monitor of that name can't. */
  readonly standsInFor?: string | undefined;
  /** Why it can't run here, or undefined. Options are parsed. */
  unavailable(options: Readonly<Record<string, unknown>>): Promise<string | undefined> | string | undefined;
  /** Throws where it can't start after all: the trial goes on without it, and says so. */
  start(context: MonitorContext): Promise<Monitor> | Monitor;
}

export interface MonitorContext {
  /** Parsed by the definition's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly periodMs: number;
  /** A course of values. A reading is added with the instant of the call; null is a gap, with its reason. */
  series(subject: string, metric: string, unit: string, kind: ReadingKind): Writer;
  /** It can't go on: the reason is reported, and it is asked no more. */
  failed(reason: string): void;
  /** Runs work of its own making (an answer that arrives) so that its CPU time is counted as the monitor's. */
  charged<Result>(work: () => Result): Result;
}

export type Writer = (value: number | null, reason?: string) => void;

/** A process of the trial. */
export interface MonitorTarget {
  /** `server`, `load` … */
  readonly role: string;
  /** The subject of its readings, one's own even where several have a role: `load`, `load2` … Absent: the role. */
  readonly subject?: string | undefined;
  readonly pid: number;
  /** The server's own address over HTTP, where it has one. */
  readonly url?: string | undefined;
}

/** A monitor at work. It lives in the process that plans and watches, never in one that is measured. */
export interface Monitor {
  /** The server must be left idle for so long before the load: the monitor measures what the device uses then. */
  readonly idleMs?: number | undefined;
  /** It asks the server over HTTP: there must be such an address. */
  readonly needsUrl?: boolean | undefined;
  /** A process of the trial has started. */
  watch?(target: MonitorTarget): void;
  /** Read everything once. Called every period; must not block. */
  sample?(): void;
  /** Begin the measured window (after warm-up). */
  mark?(): void;
  /** Figures that a measured process tells of its own event loop. */
  hear?(role: string, figures: EventLoopFigures): void;
  /** End it: the usage of processes between mark and stop, where this monitor tells it, and CPU time of programs it ran. */
  stop(): Promise<MonitorEnd> | MonitorEnd;
}

export interface MonitorEnd {
  readonly processes?: readonly ProcessUsage[] | undefined;
  /** Of programs that it started; null where it can't be told. Absent: none. */
  readonly programCpuSeconds?: number | null | undefined;
}

/** Of one period, told by the process itself (event-loop.ts in results). Durations only. */
export interface EventLoopFigures {
  /** 0 … 1. */
  readonly utilization: number;
  readonly delayMeanNs: number;
  readonly delayMaxNs: number;
}
