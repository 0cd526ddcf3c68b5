export const FLEET_SCHEMA = 1;

/** `fleet.json`: fleets that lived through the same arrivals in virtual time. Nothing in it was measured. */
export interface FleetRecord {
  readonly schema: number;
  readonly question: string;
  readonly file: string;
  readonly strategy: string;
  /** Points [rows, ns]. */
  readonly cost: readonly (readonly [rows: number, ns: number])[];
  readonly objectiveNs: number;
  readonly durationNs: number;
  readonly arrivals: string;
  readonly replicas: {
    readonly initial: number;
    readonly max: number;
    readonly startUpNs: number;
    readonly instances: number;
  };
  readonly runs: readonly FleetRun[];
  /** Wall-clock seconds of all of it. */
  readonly seconds: number;
  /** What is known of the simulator's error. */
  readonly simulator: string;
}

export interface FleetRun {
  readonly name: string;
  /** null: a fixed size. */
  readonly autoscaler: string | null;
  readonly offered: number;
  readonly answered: number;
  readonly rejected: number;
  /** Of those rejected: because no replica was up. */
  readonly unserved: number;
  /** Answers within the objective. */
  readonly good: number;
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
  readonly p999Ns: number | null;
  readonly meanBatch: number | null;
  readonly replicaSeconds: number;
  readonly peakReplicas: number;
  readonly peakInFlight: number;
  readonly events: number;
  readonly cpuSeconds: number;
  readonly windows: readonly {
    readonly startNs: number;
    readonly endNs: number;
    readonly offered: number;
    readonly answered: number;
    readonly rejected: number;
    readonly good: number;
    readonly p50Ns: number | null;
    readonly p99Ns: number | null;
    readonly ready: number;
    readonly wanted: number;
    readonly inFlight: number;
  }[];
}
