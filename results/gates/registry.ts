import { arrivalLaw } from './arrival-law.js';
import { clock } from './clock.js';
import { coldStart } from './cold-start.js';
import type { GateDefinition } from './contract.js';
import { delivery } from './delivery.js';
import { dispatchLateness } from './dispatch-lateness.js';
import { earlyStopping } from './early-stopping.js';
import { errorRate } from './error-rate.js';
import { inputRepetition } from './input-repetition.js';
import { minDuration } from './min-duration.js';
import { minQueries } from './min-queries.js';
import { overSaturation } from './over-saturation.js';
import { performanceConstraint } from './performance-constraint.js';
import { roofline } from './roofline.js';
import { sampleRatio } from './sample-ratio.js';
import { sampleSize } from './sample-size.js';
import { stoppedEarly } from './stopped-early.js';
import { accuracyTarget, latencyTarget, relativeAccuracyTarget } from './target.js';

/** In the order of their findings. */
export const gates = [
  stoppedEarly,
  dispatchLateness,
  delivery,
  roofline,
  arrivalLaw,
  errorRate,
  minDuration,
  minQueries,
  sampleSize,
  earlyStopping,
  performanceConstraint,
  overSaturation,
  coldStart,
  inputRepetition,
  sampleRatio,
  clock,
  latencyTarget,
  accuracyTarget,
  relativeAccuracyTarget,
] as const satisfies readonly GateDefinition[];

/** The gate of that name, or undefined. */
export function gate(name: string): GateDefinition | undefined {
  return gates.find((one) => one.name === name);
}
