import { UserError } from '../results/errors.js';

/** A serial server under constant arrivals, which stands still for the last part of every period. */
export interface StallingServer {
  readonly ratePerSecond: number;
  readonly serviceNs: number;
  /** Absent: it never stalls. */
  readonly stall?: { readonly everyNs: number; readonly forNs: number } | undefined;
}

/**
 * The latency from the due time at percentile `p` (0 … 1), in closed form, of whole periods.
 *
 * A request due x after a stall of length D began finds D − x of it left and x·λ requests ahead, each of service s: with
 * ρ = λs it waits D − (1−ρ)x, until the backlog is gone at x = D/(1−ρ). Arrivals are even, so that of all requests of a
 * period T a share (D − w)/((1−ρ)T) waits longer than w: the wait at p is D − (1−p)(1−ρ)T, and 0 where that is negative.
 * Throws UserError where the server can't keep up, or a backlog outlasts its period.
 */
export function trueLatencyNs({ ratePerSecond, serviceNs, stall }: StallingServer, p: number): number {
  const utilisation = (ratePerSecond * serviceNs) / 1e9;
  if (utilisation >= 1)
    throw new UserError({
      place: 'crosscheck',
      found: `a service time of ${serviceNs / 1e6} ms at ${ratePerSecond}/s keeps the server busy for ${Math.round(utilisation * 100)} % of the time`,
      allowed: 'less than 100 %: without an end of the queue there is no true latency',
    });
  if (!stall) return serviceNs;
  const { everyNs, forNs } = stall;
  if (forNs > (1 - utilisation) * everyNs)
    throw new UserError({
      place: 'crosscheck',
      found: `the backlog of a stall of ${forNs / 1e6} ms is not worked off within ${everyNs / 1e6} ms`,
      remedy: 'Shorten the stall, or lower the rate',
    });
  return serviceNs + Math.max(0, forNs - (1 - p) * (1 - utilisation) * everyNs);
}
