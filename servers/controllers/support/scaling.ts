import { z } from 'zod';
import { duration } from '../../../results/units.js';
import { count } from '../../strategies/support/options.js';

const policy = z.strictObject({
  type: z.enum(['pods', 'percent']),
  value: count(),
  period: duration(),
});
type Policy = z.output<typeof policy>;

const rules = (stabilizationWindow: number, policies: readonly Policy[]) =>
  z
    .strictObject({
      stabilizationWindow: duration().default(stabilizationWindow),
      policies: z
        .array(policy)
        .min(1)
        .default([...policies]),
      selectPolicy: z.enum(['max', 'min', 'disabled']).default('max'),
    })
    .prefault({});

/** How fast replicas may change. Rules default key by key. Source: Kubernetes' HPA behaviour. */
export const scalingShape = {
  tolerance: z.number().nonnegative().default(0.1),
  scaleUp: rules(0, [
    { type: 'pods', value: 4, period: 15e9 },
    { type: 'percent', value: 100, period: 15e9 },
  ]),
  scaleDown: rules(300e9, [{ type: 'percent', value: 100, period: 15e9 }]),
};

const scaling = z.strictObject(scalingShape);
export type ScalingOptions = z.output<typeof scaling>;

interface Limits {
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

interface Change {
  readonly at: number;
  /** Replicas added, or removed where negative. */
  readonly by: number;
}

/** Remembers recommendations and changes, and holds new ones to stabilisation windows and rate policies. */
export class Scaling {
  /** Those that a window or period may still ask for. */
  #recommended: { readonly at: number; readonly wanted: number }[] = [];
  #changes: Change[] = [];

  constructor(
    readonly options: ScalingOptions,
    readonly limits: Limits,
  ) {}

  /** Is a ratio of usage to target close enough to 1? */
  within(ratio: number): boolean {
    return 1 - this.options.tolerance <= ratio && ratio <= 1 + this.options.tolerance;
  }

  /** Raised to the least and lowered to the largest recommendation of the windows; `wanted` is recorded. Both ends count. */
  stabilize(current: number, wanted: number, now: number): number {
    const { scaleUp, scaleDown } = this.options;
    const longest = Math.max(scaleUp.stabilizationWindow, scaleDown.stabilizationWindow);
    this.#recommended = this.#recommended.filter((earlier) => now - earlier.at <= longest);
    let low = wanted;
    let high = wanted;
    for (const earlier of this.#recommended) {
      if (now - earlier.at <= scaleUp.stabilizationWindow) low = Math.min(low, earlier.wanted);
      if (now - earlier.at <= scaleDown.stabilizationWindow) high = Math.max(high, earlier.wanted);
    }
    this.#recommended.push({ at: now, wanted });
    return Math.min(Math.max(current, low), high);
  }

  /** As far towards `desired` as policies and limits allow. */
  limit(current: number, desired: number, now: number): number {
    const { minReplicas, maxReplicas } = this.limits;
    if (desired > current) return Math.min(desired, maxReplicas, Math.max(current, this.#upTo(current, now)));
    if (desired < current) return Math.max(desired, minReplicas, Math.min(current, this.#downTo(current, now)));
    return current;
  }

  /** The replicas changed: later syncs count it against their policies. */
  changed(from: number, to: number, now: number): void {
    const periods = [...this.options.scaleUp.policies, ...this.options.scaleDown.policies].map(({ period }) => period);
    this.#changes = this.#changes.filter((change) => now - change.at < Math.max(...periods));
    if (from !== to) this.#changes.push({ at: now, by: to - from });
  }

  #upTo(current: number, now: number): number {
    const { selectPolicy, policies } = this.options.scaleUp;
    if (selectPolicy === 'disabled') return current;
    const proposals = policies.map(({ type, value, period }) => {
      const base = this.#base(current, period, now);
      return type === 'pods' ? base + value : Math.ceil((base * (100 + value)) / 100);
    });
    return selectPolicy === 'max' ? Math.max(...proposals) : Math.min(...proposals);
  }

  #downTo(current: number, now: number): number {
    const { selectPolicy, policies } = this.options.scaleDown;
    if (selectPolicy === 'disabled') return current;
    const proposals = policies.map(({ type, value, period }) => {
      const base = this.#base(current, period, now);
      return type === 'pods' ? base - value : Math.floor((base * (100 - value)) / 100);
    });
    return selectPolicy === 'max' ? Math.min(...proposals) : Math.max(...proposals);
  }

  /** Replicas at the start of the period, as far as the recorded changes tell. */
  #base(current: number, period: number, now: number): number {
    const changes = this.#changes.filter((change) => now - change.at < period);
    return changes.reduce((base, change) => base - change.by, current);
  }
}
