import type { CostTable, Isolation, WarmUpSample } from './executors/index.js';
import type { FrontendLimits } from './frontends/index.js';
import type { ModelSpec } from './models/index.js';
import type { RequestGraph } from './protocol/index.js';
import type { RepositorySpec } from './repository/index.js';
import type { RequestLogSpec } from './request-log.js';

/** A model and how it is served: its own strategy over its own instances. Plain data. */
export interface ServedModelSpec {
  readonly model: ModelSpec;
  /** Served under this name; default: the model's own. */
  readonly modelName?: string | undefined;
  /** Default: the model's own, `1`. */
  readonly modelVersion?: string | undefined;
  readonly strategy: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> | undefined };
  /** Default 1. */
  readonly instances?: number | undefined;
  /** Default `thread`. */
  readonly isolation?: Isolation | undefined;
  /** An instance's executions before it is ready; default 3. */
  readonly warmUpExecutions?: number | undefined;
  /** In their place: executions that must succeed. */
  readonly warmUp?: readonly WarmUpSample[] | undefined;
  /** c(b) of the model, for strategies that use the profile. */
  readonly profile?: CostTable | undefined;
  /** `none`: requests carry the model's own tensors; default `server`: what its entry's processors take, where it has any. */
  readonly processing?: 'server' | 'none' | undefined;
  /** Further models in the same instances, under the same strategy: their executions take turns. */
  readonly sharing?: readonly SharingModelSpec[] | undefined;
}

/** A graph of a server's models that it serves as a model of its own. */
export interface EnsembleSpec extends RequestGraph {
  readonly name: string;
  /** Requests under way at most; the others wait. 0 or absent: any. Source: Triton's `max_inflight_requests`. */
  readonly maxInflightRequests?: number | undefined;
}

/** A model that shares strategy and instances with another. */
export interface SharingModelSpec {
  readonly model: ModelSpec;
  readonly modelName: string;
  readonly profile?: CostTable | undefined;
}

/** Where a server listens, and what it writes down. */
export interface EndpointSpec {
  /** In server metadata and in messages. */
  readonly name: string;
  /** Frontend name → where it listens; port 0 = any free one. Default host: loopback. */
  readonly frontends: Readonly<Record<string, { readonly host?: string | undefined; readonly port: number }>>;
  readonly limits?: FrontendLimits | undefined;
  /** One line a request; absent: none. */
  readonly requestLog?: RequestLogSpec | undefined;
}

/** Everything that a server is started from, as plain data: it crosses a process boundary as JSON. */
export interface ServerSpec extends EndpointSpec, ServedModelSpec {
  /** Further models in the same process, each with a strategy and instances of its own. */
  readonly others?: readonly ServedModelSpec[] | undefined;
  /** A controller that stands before all of them: clients see what it makes of them (servers/fronts). */
  readonly front?: { readonly name: string; readonly options: Readonly<Record<string, unknown>> } | undefined;
  /** Of its models, one more. What asks for no model in particular asks for it. */
  readonly ensemble?: EnsembleSpec | undefined;
  /** Which of several replicas behind a gateway it is, 0 … 255; absent: it stands alone. */
  readonly replica?: number | undefined;
  /** Processors of the server process, as in `taskset -c`: `0,2-3`. Only where it runs in a process of its own. */
  readonly cpus?: string | undefined;
}

/** A server whose models are those of a folder. */
export interface RepositoryServerSpec extends EndpointSpec {
  readonly repository: RepositorySpec;
}

/** CPU time and memory of a server, since it started. */
export interface ServerUsage {
  /** The whole process: main thread, workers in threads, and the runtime's own threads. */
  readonly process: {
    readonly pid: number;
    readonly userSeconds: number;
    readonly systemSeconds: number;
    readonly rssBytes: number;
  };
  /** Of each instance's own thread or process; null where the system does not tell. */
  readonly instances: readonly {
    /** Its model's name. */
    readonly model: string;
    readonly id: number;
    readonly pid: number;
    readonly isolation: Isolation;
    readonly userSeconds: number | null;
    readonly systemSeconds: number | null;
    /** Of a process; null for threads, which share the server's. */
    readonly rssBytes: number | null;
  }[];
  /** Share of the time since the start in which the main thread was busy. */
  readonly eventLoopUtilization: number;
}
