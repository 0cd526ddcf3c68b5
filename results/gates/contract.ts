import type { Roofline } from '../calibration.js';
import type { DriveFacts, LoadFacts, Targets } from '../facts.js';
import type { GatewaySummary } from '../gateway.js';
import type { ArrivalSummary, BacklogSummary, Finding, InputSummary, TrialIdentity, TrialSummary } from '../summary.js';
import type { MeasuredWindow } from '../window.js';

/** What a gate sees of a trial. */
export interface GateInput {
  readonly trial: TrialIdentity;
  readonly load: LoadFacts;
  readonly drive: DriveFacts;
  readonly targets: Targets;
  readonly window: MeasuredWindow;
  readonly counts: TrialSummary['counts'];
  readonly errors: TrialSummary['errors'];
  readonly accuracy: TrialSummary['accuracy'];
  /** Issued − due of everything that was issued, ascending. */
  readonly sortedLatenessNs: Float64Array;
  /** Null where there is no schedule, or too little of it. */
  readonly arrivals: ArrivalSummary | null;
  readonly backlog: BacklogSummary | null;
  readonly inputs: InputSummary;
  /** Absent where nobody asked (simulated). */
  readonly roofline?: Roofline | undefined;
  /** Of a system behind a gateway. */
  readonly gateway?: GatewaySummary | undefined;
  /** Queries issued; of offline its samples. */
  readonly queries: number;
}

/**
 * One rule that a measurement must keep to count as a result. A finding says what was seen, by how much it breaks the
 * rule, and what to change; the advice fits the load (a closed loop has no rate to lower). One file, one line.
 */
export interface GateDefinition {
  /** Also the `rule` of its findings. */
  readonly name: string;
  readonly summary: string;
  check(input: GateInput): GateFinding | undefined;
}

export type GateFinding = Omit<Finding, 'rule'>;
