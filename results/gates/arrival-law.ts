import type { ArrivalSide, ArrivalSummary } from '../summary.js';
import { formatDuration } from '../units.js';
import type { GateDefinition, GateFinding, GateInput } from './contract.js';
import { peakInFlight } from './in-flight.js';
import { count, percent } from './text.js';

/** More of the gaps may not lie elsewhere than in the schedule. */
const GAP_LIMIT = 0.05;
/** So far may an index of dispersion lie from the schedule's own: absolute up to 1, relative above. */
const DISPERSION_LIMIT = 0.2;
/** Windows shorter than so many tolerances are a matter of jitter, which the dispatch gate judges. */
const WINDOW_TOLERANCES = 10;

/**
 * What was sent must be the law that was asked for, or the load is another load. What the server saw is told as a warning:
 * behind a stall of its own, or a full connection, requests bunch up, and that is the system's answer, counted as latency.
 */
export const arrivalLaw: GateDefinition = {
  name: 'arrival-law',
  summary: 'gaps and counts of the arrivals, as sent and as the server saw them, are those of the schedule',
  check(input) {
    const { arrivals, drive } = input;
    if (arrivals === null || drive.stoppedEarly !== null) return undefined;
    const sent = deviation(arrivals.sent, arrivals);
    if (sent !== undefined) return badlySent(input, sent);
    const seen = arrivals.seen === null ? undefined : deviation(arrivals.seen, arrivals);
    return seen === undefined ? undefined : badlySeen(input, seen);
  },
};

function badlySent({ drive, load }: GateInput, how: string): GateFinding {
  return {
    severity: 'invalid',
    message: `What was sent is not the ${drive.arrivals ?? 'load'} that was asked for: ${how}.`,
    advice:
      load.cap === null || !Number.isFinite(load.cap)
        ? 'Lower the rate, add load processes, or give the load processors of its own.'
        : 'Raise the cap on requests in flight, lower the rate, or add load processes.',
  };
}

function badlySeen({ drive, window }: GateInput, how: string): GateFinding {
  return {
    severity: 'warning',
    message: `The requests were sent as ${drive.arrivals ?? 'asked'}, but the server saw other arrivals: ${how}; up to ${count(peakInFlight(window))} were in flight.`,
    advice:
      'They waited for a free connection or for the server’s own event loop; the wait counts as latency. Where the server should see the law itself, lower the rate or allow more connections.',
  };
}

/** The first thing that is off, in words; undefined where all is as the schedule has it. */
function deviation(side: ArrivalSide, { due, toleranceNs }: ArrivalSummary): string | undefined {
  if (side.gapDistance > GAP_LIMIT)
    return `${percent(side.gapDistance)} of the gaps lie more than ${formatDuration(toleranceNs)} from the schedule’s (Kolmogorov–Smirnov; at most ${percent(GAP_LIMIT)} may)`;
  for (const { windowNs, index } of side.dispersion) {
    const asked = due.dispersion.find((each) => each.windowNs === windowNs);
    if (asked === undefined || windowNs < WINDOW_TOLERANCES * toleranceNs) continue;
    if (Math.abs(index - asked.index) > DISPERSION_LIMIT * Math.max(1, asked.index))
      return `the counts in windows of ${formatDuration(windowNs)} have dispersion ${index.toFixed(2)} instead of ${asked.index.toFixed(2)}`;
  }
  return undefined;
}
