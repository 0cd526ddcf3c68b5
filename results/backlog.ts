import { studentInterval } from './stats/index.js';
import type { BacklogSummary, Growth } from './summary.js';
import type { MeasuredWindow } from './window.js';

/** The time in which requests were due is cut into so many slices … */
const SLICES = 40;
/** … of which so many, at every place, are asked whether the backlog grows. */
const WINDOW = 20;
const LEVEL = 0.99;
/** Fewer requests than these have no trend. */
const LEAST = 200;
/** Growth below this share of what is offered is no over-saturation that a run of this length could tell. */
const LEAST_SHARE = 0.01;

/**
 * Does the queue grow? Outstanding requests (due and not yet completed) and latency over a sliding half of the load's time.
 * Where a system can't keep up, each slice adds its share, independently of the last: Student's interval of the additions
 * is right there. Where it can, what one slice adds another takes away, and the interval is too wide, which errs on the
 * safe side. Null for loads without a schedule and for too few requests.
 */
export function backlogSummary(window: MeasuredWindow): BacklogSummary | null {
  const { records, measured } = window;
  if (!window.scheduled || measured.length < LEAST) return null;
  const first = records.dueNs[measured[0]!]!;
  const spanNs = records.dueNs[measured.at(-1)!]! - first;
  if (!(spanNs > 0)) return null;
  const slice = (ns: number) => Math.min(SLICES - 1, Math.max(0, Math.floor(((ns - first) / spanNs) * SLICES)));
  const sliceSeconds = spanNs / SLICES / 1e9;
  const added = additions(window, slice, first + spanNs);
  const outstanding = growthAt(added, SLICES - WINDOW, sliceSeconds);
  const steps = differences(meanLatencies(window, slice));
  // A slice in which nothing was answered has no latency, and the trend none either.
  const latency = steps.slice(-WINDOW).some(Number.isNaN) ? null : growthAt(steps, steps.length - WINDOW, sliceSeconds);
  const offered = measured.length / (spanNs / 1e9);
  const saturated =
    outstanding.interval.low > 0 && outstanding.perSecond > LEAST_SHARE * offered && (latency?.interval.low ?? 1) > 0;
  return {
    outstandingPerSecond: outstanding,
    latencyNsPerSecond: latency,
    offeredPerSecond: offered,
    saturated,
    sinceNs: saturated ? first + since(added, sliceSeconds) * sliceSeconds * 1e9 : null,
  };
}

/** Requests that became due less those that were completed, a slice; what completes after the last due time is not of them. */
function additions({ records, measured }: MeasuredWindow, slice: (ns: number) => number, end: number): number[] {
  const added = new Array<number>(SLICES).fill(0);
  for (const row of measured) {
    added[slice(records.dueNs[row]!)]!++;
    const completed = records.completedNs[row]!;
    if (completed < end) added[slice(completed)]!--;
  }
  return added;
}

/** Of the ok requests that were due in each slice; NaN where there are none. */
function meanLatencies({ records, rows }: MeasuredWindow, slice: (ns: number) => number): number[] {
  const sums = new Array<number>(SLICES).fill(0);
  const counts = new Array<number>(SLICES).fill(0);
  for (const row of rows) {
    const at = slice(records.dueNs[row]!);
    sums[at]! += records.completedNs[row]! - records.dueNs[row]!;
    counts[at]!++;
  }
  return sums.map((sum, i) => sum / counts[i]!);
}

function differences(values: readonly number[]): number[] {
  return values.slice(1).map((value, i) => value - values[i]!);
}

function growthAt(steps: readonly number[], from: number, sliceSeconds: number): Growth {
  const part = steps.slice(from, from + WINDOW).map((step) => step / sliceSeconds);
  const interval = studentInterval(part, LEVEL);
  return { perSecond: part.reduce((sum, step) => sum + step, 0) / part.length, interval };
}

/** The first slice from which on every window grows. */
function since(added: readonly number[], sliceSeconds: number): number {
  let from = SLICES - WINDOW;
  while (from > 0 && growthAt(added, from - 1, sliceSeconds).interval.low > 0) from--;
  return from;
}
