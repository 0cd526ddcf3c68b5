import type { Environment } from './environment.js';
import type { TrialIdentity, TrialOutcome } from './summary.js';

export const RUN_SCHEMA = 1;

/** `plan.json`: everything a run will do, written before anything starts. `detail` is the resolved trial, opaque down here. */
export interface RunPlan {
  readonly schema: number;
  readonly question: string;
  /** The scenario file's name, without folder and ending. */
  readonly scenario: string;
  /** The command that reproduces it. */
  readonly command: string;
  readonly systems: readonly PlannedSystem[];
  readonly loads: readonly { readonly name: string; readonly summary: string }[];
  readonly transports: readonly string[];
  readonly targets: {
    readonly p99LatencyNs?: number | undefined;
    readonly errorRate?: number | undefined;
    readonly accuracy?: number | undefined;
    readonly relativeAccuracy?: { readonly share: number; readonly system: string } | undefined;
  };
  readonly seeds: Readonly<Record<string, string>>;
  readonly model: { readonly name: string; readonly sha256: string | null; readonly provenance: string };
  /** Two names of one system, run for the noise floor (A/A pairs); no part of what is compared. */
  readonly twins?: readonly [string, string] | undefined;
  /** It is a league of strategies: those that could not take part, and why. */
  readonly league?: { readonly leftOut: readonly { readonly name: string; readonly reason: string }[] } | undefined;
  /** What all trials share; opaque down here. With it a run is resumed without its scenario file. */
  readonly settings?: unknown;
  readonly trials: readonly { readonly identity: TrialIdentity; readonly detail: unknown }[];
  readonly simulated: boolean;
}

export interface PlannedSystem {
  readonly name: string;
  readonly summary: string;
  readonly instances?: number;
  /** Names of the models behind its front, by number from 1. */
  readonly variants?: readonly string[] | undefined;
  /** The file that it serves; absent where there is none, and in older runs. */
  readonly model?:
    | {
        readonly name: string;
        readonly bytes: number;
        readonly sha256: string;
        /** What made it of its parent, in order; empty: it is as it was given. */
        readonly passes: readonly string[];
      }
    | undefined;
}

/** A run folder as it is read back; the only input of reports. */
export interface StoredRun {
  readonly folder: string;
  readonly plan: RunPlan;
  readonly environment: Environment;
  readonly outcomes: readonly TrialOutcome[];
  readonly state: 'running' | 'completed' | 'interrupted';
  /** Files of trials that are there and can't be read, relative to the folder; absent: none. */
  readonly damaged?: readonly string[];
}
