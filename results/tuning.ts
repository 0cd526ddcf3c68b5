import { join } from 'node:path';
import { readJsonIfWhole, writeJsonAtomic } from './files.js';

export const TUNING_SCHEMA = 1;

/** `tuning.json` of a run that searched for a configuration: the space, every point looked at, and what came of it. */
export interface TuningRecord {
  readonly schema: number;
  /** Hash of what the search was asked: only a search with the same may go on from here. */
  readonly asked: string;
  readonly system: string;
  readonly load: string;
  readonly transport: string;
  readonly search: string;
  readonly mode: 'simulated-then-real' | 'simulated' | 'real';
  readonly objectives: readonly { readonly name: string; readonly direction: 'max' | 'min'; readonly unit: string }[];
  readonly constraints: readonly string[];
  readonly dimensions: readonly TuningDimension[];
  /** Points of the space, and how many of them can be served at all. */
  readonly points: number;
  readonly possible: number;
  readonly steps: readonly TuningStep[];
  /** Numbers of the steps that nothing beats in every objective; the first is the best by the first objective. */
  readonly front: readonly number[];
  /** The author's own configuration, and its trial where it was served for real. */
  readonly author?: { readonly trial?: string | undefined; readonly figures: TuningFigures } | undefined;
  /** Sentences of the paired comparison between the best and the author's configuration. */
  readonly confirmed: readonly string[];
  /** Whether they show the best to be better; absent before them, and where all was simulated. */
  readonly verdict?: TuningVerdict | undefined;
  readonly seconds: Readonly<Record<'profile' | 'simulated' | 'real' | 'confirm', number>>;
}

export interface TuningVerdict {
  readonly state: 'confirmed' | 'unconfirmed';
  readonly text: string;
}

export interface TuningDimension {
  readonly name: string;
  readonly values: readonly string[];
  readonly ordered: boolean;
}

export interface TuningStep {
  readonly phase: 'simulated' | 'real';
  readonly point: readonly number[];
  /** The system's name in the trials. */
  readonly system: string;
  /** Of a real evaluation. */
  readonly trial?: string | undefined;
  readonly evaluation:
    | { readonly state: 'measured'; readonly objectives: readonly number[]; readonly excess: readonly number[] }
    | { readonly state: 'failed'; readonly reason: string };
  readonly figures: TuningFigures;
  readonly seconds: number;
}

/** What is shown of a point; null where it is not known. */
export interface TuningFigures {
  readonly throughputPerSecond: number | null;
  readonly p50LatencyNs: number | null;
  readonly p99LatencyNs: number | null;
  readonly errorRate: number | null;
  readonly meanBatch: number | null;
  /** Server CPU. */
  readonly cpuSecondsPerRequest: number | null;
  /** Threads that compute: instances × threads an instance. */
  readonly cores: number;
  readonly accuracy: number | null;
}

const FILE = 'tuning.json';

/** The search of that run folder; undefined where there is none, or where it is broken or of another version. */
export function readTuning(folder: string): TuningRecord | undefined {
  const found = readJsonIfWhole(join(folder, FILE)) as TuningRecord | undefined;
  return found?.schema === TUNING_SCHEMA ? found : undefined;
}

export function writeTuning(folder: string, record: TuningRecord): void {
  writeJsonAtomic(join(folder, FILE), record, 'the steps of the search since the last one');
}
