import type { Command } from 'commander';
import type { LoadSeeds } from '../clients/job.js';
import type { MonitorSettings } from '../results/monitors/index.js';
import type { LoadScheduling } from '../results/scheduling.js';
import type { TrialIdentity } from '../results/summary.js';
import type { ModelSpec } from '../servers/models/index.js';
import type { ServedModelSpec, SharingModelSpec } from '../servers/spec.js';
import type { AutoscalerChoice, GatewayChoice, ReplicaChoice } from './gateway-system.js';
import type { EnsembleChoice } from './schema.js';
import type { TuneSpec } from './tune/spec.js';

/** A scenario as the program works with it: read, validated, sweeps spread out. All durations in ns. */
export interface Scenario {
  /** As given on the command line. */
  readonly file: string;
  /** The file's name without ending. */
  readonly name: string;
  readonly question: string;
  readonly preset: Preset;
  readonly model: ModelSpec;
  readonly samples: SamplesChoice | undefined;
  readonly systems: readonly SystemSpec[];
  /** Two names of one system among `systems`: the A/A pair of `comparison.noiseFloor`. */
  readonly twins?: readonly [string, string] | undefined;
  readonly loads: readonly LoadSpec[];
  readonly transports: readonly string[];
  readonly targets: Targets;
  readonly repeats: number;
  readonly seeds: Seeds;
  readonly warmUpNs: number;
  readonly monitors: MonitorSettings;
  /** Length of the capacity probe's measured part. */
  readonly probeNs: number;
  /** Also run every sample once per system and transport, judged against the labels. */
  readonly accuracy: boolean;
  /** How answers are judged (results/accuracy); absent: as each model's entry says, else top-1. */
  readonly accuracyMetric?: string | undefined;
  /** Share of the answers that performance trials judge too. */
  readonly judgedShare?: number | undefined;
  /** Processes that share each load; default 1. */
  readonly loadProcesses: number;
  /** Connections of each load at most; undefined: as each load needs. */
  readonly connections: number | undefined;
  /** The best that load processes ask the kernel for. */
  readonly loadScheduling: LoadScheduling;
  /** Stand simulated results beside the real ones. */
  readonly simulate: boolean;
  /** What `servemark tune` searches. */
  readonly tune: TuneSpec | undefined;
  /** `file:line:col path` of a key, for problems found while planning. */
  readonly place: (path: readonly (string | number)[]) => string;
}

export type Preset = 'quick' | 'mlperf' | 'mlperf-short';

export interface Targets {
  readonly p99LatencyNs?: number | undefined;
  readonly errorRate?: number | undefined;
  readonly accuracy?: number | undefined;
  readonly relativeAccuracy?: RelativeAccuracy | undefined;
}

/** `99% of fp32`: at least that share of that system's accuracy over the same transport. */
export interface RelativeAccuracy {
  readonly share: number;
  readonly system: string;
}

/** 64-bit integers as decimal text (they outgrow a double). */
export interface Seeds {
  readonly schedule: string;
  readonly samples: string;
  readonly order: string;
  readonly bootstrap: string;
  /** MLPerf's seed of the sample library; absent outside its presets. */
  readonly library?: string;
}

export interface SamplesChoice {
  readonly name: string;
  readonly directory?: string | undefined;
  readonly count?: number | undefined;
  readonly dims?: Readonly<Record<string, readonly number[]>> | undefined;
  /** So many samples, evenly spread, are for passes: no load sees them. */
  readonly forPasses?: number | undefined;
}

export interface SystemSpec {
  readonly name: string;
  /** One line for reports. */
  readonly summary: string;
  readonly strategy: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  readonly instances: number;
  readonly isolation: 'thread' | 'process';
  readonly model: ModelSpec;
  /** What its server holds besides; requests name the model (a load's mix). */
  readonly others?: readonly ServedModelSpec[] | undefined;
  /** A controller before its models (servers/fronts). */
  readonly front?: { readonly name: string; readonly options: Readonly<Record<string, unknown>> } | undefined;
  /** A graph of its server's models. */
  readonly ensemble?: EnsembleChoice | undefined;
  /** Models that share its instances and strategy. */
  readonly sharing?: readonly SharingModelSpec[] | undefined;
  /** A server that is not ours: then `strategy` is named `external` and has no options. */
  readonly external?: ExternalSpec | undefined;
  /** Where the model's processors run; absent: in the server, where it has any. */
  readonly processing?: 'server' | 'client' | 'none' | undefined;
  /** Processors for the server process and for the load process, as in `taskset -c`. */
  readonly serverCpus?: string | undefined;
  readonly loadCpus?: string | undefined;
  /** Share of the requests that its server logs. */
  readonly requestLog?: number | undefined;
  /** Servers of this kind behind a gateway; absent: one that is asked directly. */
  readonly replicas?: readonly ReplicaChoice[] | undefined;
  readonly gateway?: GatewayChoice | undefined;
  readonly autoscaler?: AutoscalerChoice | undefined;
}

/** A server of somebody else's, as written: placeholders are filled for each trial (external-system.ts). */
export interface ExternalSpec {
  /** Program and arguments; absent: it runs already. */
  readonly start?: readonly string[] | undefined;
  /** A command that must succeed, or its trials are skipped. */
  readonly needs?: readonly string[] | undefined;
  /** A URL that answers 2xx when it is ready; absent: KServe's own question. */
  readonly ready?: string | undefined;
  readonly stop: string;
  /** For rest and rest-binary. */
  readonly url?: string | undefined;
  /** `host:port`. */
  readonly grpc?: string | undefined;
  /** The model's name on that server. */
  readonly model: string;
  /** Absolute. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly readyTimeoutNs: number;
  readonly stopTimeoutNs: number;
}

export interface LoadSpec {
  readonly name: string;
  readonly summary: string;
  readonly type: string;
  /** As written, without a rate that is relative. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly relativeRate?: RelativeRate | undefined;
  /** Processes that share it; absent: the scenario's. */
  readonly processes?: number | undefined;
}

/** `150% of serial`, or `150% of serial on rest-binary`. */
export interface RelativeRate {
  /** The option it stands for: `rate` or `expectedRate`. */
  readonly key: string;
  readonly factor: number;
  readonly system: string;
  /** Absent: the capacity over the trial's own transport. */
  readonly transport?: string | undefined;
}

/** One trial, fully resolved but for a rate that depends on a probe's result; serialisable. */
export interface TrialSpec {
  readonly identity: TrialIdentity;
  readonly kind: 'probe' | 'measure' | 'accuracy';
  /** Judge the answers while measuring (costs their decoding): MLPerf's audit TEST01. */
  readonly judge?: boolean | undefined;
  /** … of this share of the answers; absent: all. */
  readonly judgedShare?: number | undefined;
  /** … by this metric of results/accuracy; absent: top-1. */
  readonly metric?: string | undefined;
  /** The accuracy trial whose outputs are what is right; absent: the samples know. */
  readonly referenceTrial?: string | undefined;
  readonly system: SystemSpec;
  readonly load: LoadSpec;
  readonly seeds: LoadSeeds;
}

/** One sub-command of the command line. One file, one line in the registry. */
export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  /** Adds arguments, options and the action. The action returns the exit code. */
  configure(command: Command, finish: (work: Promise<number>) => Promise<void>): void;
}

/** Documented exit codes. */
export const EXIT = { done: 0, invalid: 1, usage: 2, interrupted: 130 } as const;
