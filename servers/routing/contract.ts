import type { z } from 'zod';
import type { RouteStatus } from '../../results/gateway.js';
import type { Balancing } from './options.js';

/** What a gateway is started from, as plain data: it crosses a process boundary as JSON. */
export interface GatewaySpec {
  readonly host?: string | undefined;
  /** 0 = any free one. */
  readonly port: number;
  /** The first one is `primary`. Replicas join later, one by one. */
  readonly pools: readonly string[];
  /** Opens a second door, for gRPC: every replica has a `grpc` address. */
  readonly grpc?: boolean | undefined;
  readonly balancing: Balancing;
  /** Name and options of a route in the registry. */
  readonly route: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  /** Of the draws of `random-two`. */
  readonly seed: number;
  /** Processors, as in `taskset -c`. */
  readonly cpus?: string | undefined;
}

/** A server that takes requests. */
export interface ReplicaSpec {
  /** One's own in its pool; the `servemark-replica` header of its answers is `pool/name`. */
  readonly name: string;
  /** `http://127.0.0.1:8000`. */
  readonly url: string;
  /** `127.0.0.1:8001`, where it speaks gRPC too. */
  readonly grpc?: string | undefined;
  readonly weight: number;
  /** Requests that it runs at once: more than that are waiting there. */
  readonly instances: number;
}

/** Where requests go: one file, one line in the registry. A route has no clock, I/O or randomness of its own. */
export interface RouteDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** A second pool stands beside the primary one. */
  readonly needsOther: boolean;
  readonly options: Options;
  create(options: z.output<Options>, pools: readonly string[]): Route;
}

export interface Route {
  /** `user` is what a request says of itself, else a number of its own. Times are ns since the gateway's start. */
  choose(user: string, now: number): RouteChoice;
  /** How an attempt in a pool went: not ok where it broke, timed out or answered 5xx. */
  result?(pool: string, ok: boolean, latencyNs: number, now: number): void;
  /** For statistics; plain JSON. */
  status(): RouteStatus;
  /** Compare copies with answers, and by how much numbers may differ. Absent: copies' answers are thrown away unread. */
  readonly compare?: { readonly tolerance: number } | undefined;
  /** Copies that may wait or run at once; more are dropped. */
  readonly maxMirrored?: number | undefined;
}

export interface RouteChoice {
  readonly pool: string;
  /** A copy goes there, and nobody hears of its answer. */
  readonly mirror?: string | undefined;
}

/** Fixes the type of the options without writing it twice. */
export function defineRoute<Options extends z.ZodType>(definition: RouteDefinition<Options>): RouteDefinition<Options> {
  return definition;
}
