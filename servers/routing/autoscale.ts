import type { z } from 'zod';
import type { GatewayCounts } from '../../results/gateway.js';
import { findController } from '../controllers/index.js';
import { AUTOSCALERS, createAutoscaler, type FleetState } from '../fleet/index.js';

export { AUTOSCALERS };

/** What an autoscaler of that name can be told; undefined where there is none. */
export function autoscalerOptions(name: string): z.ZodType | undefined {
  return AUTOSCALERS.includes(name) ? findController(name)?.options : undefined;
}

interface Scaled {
  readonly ready: number;
  readonly wanted: number;
  scaleTo(count: number): void;
}

export interface AutoscaleOptions {
  readonly name: string;
  readonly options: unknown;
  readonly intervalNs: number;
  /** Instances of one replica. */
  readonly instances: number;
  counts(): Promise<GatewayCounts>;
  /** `from` and `to` replicas. */
  onScale(from: number, to: number): void;
}

/**
 * Looks at the gateway every interval, asks the controller, and starts or stops replicas. The same controllers and the same
 * feeds scale a simulated fleet. Throws UserError where the options are wrong. Answers how to stop it.
 */
export function autoscale(set: Scaled, { name, options, intervalNs, instances, counts, onScale }: AutoscaleOptions) {
  const autoscaler = createAutoscaler(name, options);
  let before: GatewayCounts | undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    // A gateway that has ended ends the trial; here it only means that there is nothing to scale by.
    const now = await counts().catch(() => undefined);
    if (stopped || !now) return;
    const { wanted } = set;
    const next = autoscaler(fleetState(before, now, set, instances));
    before = now;
    if (next === wanted) return;
    onScale(wanted, next);
    set.scaleTo(next);
  };
  const timer = setInterval(() => void look(), intervalNs / 1e6);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

/** What the primary pool has done between two looks, as a controller's feed wants it. `before` absent: since the start. */
export function fleetState(
  before: GatewayCounts | undefined,
  now: GatewayCounts,
  { ready, wanted }: Pick<Scaled, 'ready' | 'wanted'>,
  instances: number,
): FleetState {
  const { replicas } = now.pools[0]!;
  const earlier = before?.pools[0]?.replicas ?? [];
  const growth = (of: 'busyNs' | 'inNs') =>
    replicas.reduce((sum, replica, n) => sum + replica[of] - (earlier[n]?.[of] ?? 0), 0);
  const inNs = growth('inNs') * instances;
  const seconds = (now.atNs - (before?.atNs ?? 0)) / 1e9;
  const total = (each: (inFlight: number) => number) =>
    replicas.reduce((sum, { inFlight }) => sum + each(inFlight), now.held);
  return {
    at: Math.round(now.atNs),
    ready,
    wanted,
    inFlight: total((inFlight) => inFlight),
    waiting: total((inFlight) => Math.max(0, inFlight - instances)),
    utilization: inNs > 0 ? Math.min(1, growth('busyNs') / inNs) : 0,
    ratePerSecond: seconds > 0 ? (now.requests - (before?.requests ?? 0)) / seconds : 0,
  };
}
