import type { z } from 'zod';
import type { LimiterPlace } from './support/limiter.js';

/** Time in integer nanoseconds from the start of the case or of the server; exact within 2^53. */
export type Nanos = number;

/** What a strategy sees of a request. Strategies keep the very objects they are offered and hand them back in actions. */
export interface StrategyRequest {
  /** Unique among the requests of one strategy. */
  readonly id: string;
  /** When it was offered. */
  readonly at: Nanos;
  /** Rows of the batch dimension. */
  readonly rows: number;
  readonly model?: string | undefined;
  /** Requests of different shape keys do not share an execution. */
  readonly shapeKey?: string | undefined;
  /** 1 = highest; 0 or absent = the default level. */
  readonly priority?: number | undefined;
  /** Relative to `at`. */
  readonly timeoutNs?: Nanos | undefined;
  /** Absolute. */
  readonly deadlineNs?: Nanos | undefined;
  /** Content hash, for caches. */
  readonly key?: string | undefined;
  /** Tenant, address or sequence id. */
  readonly client?: string | undefined;
  readonly class?: 'rt' | 'be' | undefined;
  /** First and last request of a sequence. */
  readonly start?: boolean | undefined;
  readonly end?: boolean | undefined;
  /** Explicit random numbers in [0,1): a strategy has no randomness of its own. */
  readonly draws?: readonly number[] | undefined;
}

/** Run these requests on that instance. The executor hands this same object to `finished`. */
export interface Execute {
  readonly kind: 'execute';
  readonly instance: number;
  /** In batch order. */
  readonly requests: readonly StrategyRequest[];
  readonly rows: number;
  /** Rows that are computed, where more than `rows`. */
  readonly paddedRows?: number | undefined;
  readonly model?: string | undefined;
  /** Replaces the cost (stages). */
  readonly durationNs?: Nanos | undefined;
  /** Stages [from, to) of the model. */
  readonly stages?: readonly [from: number, to: number] | undefined;
  /** It may be killed and gone on with: what its stages have left by then is to be kept. */
  readonly killable?: boolean | undefined;
  /** A mirrored copy: it answers nobody. */
  readonly shadow?: boolean | undefined;
  /** The strategy answers with `respond` later; without it all requests are answered when the execution ends. */
  readonly hold?: boolean | undefined;
}

export type ResponseSource = 'execution' | 'cache' | 'coalesced' | 'default';

export type Action =
  | Execute
  | { readonly kind: 'reject'; readonly request: StrategyRequest; readonly reason: string }
  | { readonly kind: 'respond'; readonly request: StrategyRequest; readonly source: ResponseSource }
  | { readonly kind: 'kill'; readonly instance: number }
  | { readonly kind: 'scale'; readonly replicas: number }
  | { readonly kind: 'load' | 'unload'; readonly model: string; readonly instance: number };

/**
 * How a server turns waiting requests into executions: a state machine without clock, I/O or randomness. The same object
 * is held to conformance vectors, simulated in virtual time, and served for real.
 */
export interface Strategy {
  /** Take the request, or refuse it at once: returns the reason. */
  offer(request: StrategyRequest, now: Nanos): string | undefined;
  /** An execution it started has ended. `ok` is false where the instance failed; its requests have been answered with an error. */
  finished(execution: Execute, now: Nanos, ok?: boolean): void;
  /** The next action, or none. Called until it returns none. */
  poll(now: Nanos): Action | undefined;
  /** When it wants to be polled although nothing happens, or none. Always later than the last poll. */
  wakeAt(): Nanos | undefined;
  /**
   * The client of a request went away. A request that still waits is dropped: true. One that is running or unknown: false,
   * and nothing changes. Followed by a poll.
   */
  cancel(request: StrategyRequest, now: Nanos): boolean;
  /** Requests that wait for their first execution. */
  waiting(): number;
}

export interface InstanceInfo {
  readonly id: number;
  /** Duration factor: 2 = half as fast; default 1. */
  readonly speed: number;
}

/** What a strategy is made from besides its options. */
export interface StrategyContext {
  readonly instances: readonly InstanceInfo[];
  /** The profile: duration in ns of an execution of so many rows, without the instance's speed factor. */
  cost(rows: number, model?: string): Nanos;
  /** The same on that instance. */
  costOn(instance: number, rows: number, model?: string): Nanos;
  /** Into how many stages a model is cut, where the executor knows; 1 = it runs whole. */
  stagesOf?(model?: string): number;
  /** Where the server has several models: resources and turns that they share. */
  readonly limiter?: LimiterPlace | undefined;
  /** Makes a strategy that this one wraps (caches, ensembles). Throws where name or options are wrong. */
  inner(name: string, options: unknown, context: StrategyContext): Strategy;
}

export interface StrategyDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** One line for `servemark list`. */
  readonly summary: string;
  /** The system it reproduces. */
  readonly source: string;
  /** Option → the original's own spelling. */
  readonly originals?: Readonly<Record<string, string>>;
  readonly options: Options;
  /** Why it runs in virtual time only: what real instances here can't do. Absent: it is served for real. */
  readonly simulatedOnly?: string;
  /** Why it has no place in a league of single requests of one model: what it needs instead. */
  readonly unranked?: string;
  /** Where it departs from the original, and why; for its page in the documentation. */
  readonly differs?: readonly string[];
  /** Needs a measured cost table. */
  readonly usesProfile?: boolean;
  /** A request is in one execution at most and answered by nothing else: after it has been copied for that one, its memory is free. */
  readonly executesOnce?: boolean;
  /** Into how many stages the models must be cut; 1 or absent: they need not be. */
  stages?(options: z.output<Options>): number;
  /** It kills executions: instances must be processes. `spare`: each with a second one that takes over. */
  kills?(options: z.output<Options>): { readonly spare: boolean } | undefined;
  /** Never leaves an instance idle while a request that could run waits; the contract tests hold it to this. */
  workConserving?(options: z.output<Options>): boolean;
  /** Option sets that the contract tests, `servemark list` and `init` use. Required where an option has no default; default [{}]. */
  readonly examples?: readonly z.input<Options>[];
  /**
   * It is nothing but one queue in order of arrival, of so many requests at most, for so many of its instances, and one request
   * an execution: fleets of thousands are simulated without its objects, and a test holds that to them. Absent: it is more.
   */
  plain?(options: z.output<Options>): { readonly limit: number; readonly instances: number } | undefined;
  /** The most rows it puts into one execution; Infinity where nothing limits it. 1 = it never batches. */
  maxRows(options: z.output<Options>): number;
  create(options: z.output<Options>, context: StrategyContext): Strategy;
}

/** Fixes the type of the options without writing it twice. */
export function defineStrategy<Options extends z.ZodType>(
  definition: StrategyDefinition<Options>,
): StrategyDefinition<Options> {
  return definition;
}
