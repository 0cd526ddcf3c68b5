import { UserError } from '../../results/errors.js';
import { createController, findController } from '../controllers/index.js';
import type { Nanos } from '../strategies/index.js';

/** What an autoscaler can look at, at one instant. */
export interface FleetState {
  readonly at: Nanos;
  /** Replicas that take requests. */
  readonly ready: number;
  /** Replicas that were asked for: ready and starting. */
  readonly wanted: number;
  /** Requests in the fleet: waiting and running. */
  readonly inFlight: number;
  /** Requests that wait. */
  readonly waiting: number;
  /** Busy time of the ready replicas' instances since the last look, as a share of what there was; 0 … 1. */
  readonly utilization: number;
  /** Arrivals a second since the last look. */
  readonly ratePerSecond: number;
}

/** Says how many replicas there should be. */
export type Autoscaler = (state: FleetState) => number;

/** What each autoscaler is told: the metric that its original scales on. */
const FEEDS: Readonly<Record<string, (state: FleetState) => Readonly<Record<string, unknown>>>> = {
  // Usage in per cent of a replica, as CPU usage in per cent of its request; the target is an option of the feed.
  hpa: ({ at, ready, wanted, utilization }) => ({
    at,
    replicas: wanted,
    metrics: [{ average: utilization * 100, target: HPA_TARGET, ready: Math.max(1, ready) }],
  }),
  'keda-queue': ({ at, waiting, inFlight, wanted }) => ({ at, lag: Math.max(waiting, inFlight), replicas: wanted }),
  'kpa-concurrency': ({ at, inFlight, ready }) => ({ at, concurrency: inFlight, ready }),
  predictive: ({ at, ratePerSecond }) => ({ at, rate: ratePerSecond }),
};

/** Per cent of a replica's capacity that Kubernetes' example aims at, and most charts keep. */
const HPA_TARGET = 70;

/** Controllers that scale a fleet. */
export const AUTOSCALERS = Object.keys(FEEDS);

/** An autoscaler of the library over a fleet. Throws UserError where there is none of that name, or an option is wrong. */
export function createAutoscaler(name: string, options: unknown): Autoscaler {
  const feed = FEEDS[name];
  if (!feed || !findController(name))
    throw new UserError({
      place: 'autoscaler',
      found: `there is no autoscaler "${name}"`,
      allowed: AUTOSCALERS.join(', '),
    });
  const controller = createController(name, options);
  return (state) => (controller.step(feed(state)) as { readonly replicas: number }).replicas;
}
