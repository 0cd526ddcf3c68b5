import type { LoadFacts } from './facts.js';
import { ascending, type Dispersion, dispersion, kolmogorovDistance, percentile } from './stats/index.js';
import type { ArrivalSide, ArrivalSummary } from './summary.js';
import type { MeasuredWindow } from './window.js';

/** Windows of the index of dispersion of counts. */
const WINDOWS_NS = [10e6, 100e6, 1e9] as const;
/** Fewer requests than these tell nothing about a law. */
const LEAST = 100;
/** So many of the requests that were sent must carry the server's word. */
const TOLD = 0.995;

/**
 * Are the arrivals the ones that were asked for? Held against the schedule itself, which is a draw from the law and what
 * every system gets: gaps by the Kolmogorov–Smirnov distance, counts by their dispersion, as sent and as the server saw
 * them. Null for loads without a schedule, and for too few requests.
 */
export function arrivalSummary(window: MeasuredWindow, load: LoadFacts): ArrivalSummary | null {
  const { records, measured } = window;
  if (!load.scheduled || measured.length < LEAST) return null;
  const issued = measured.filter((row) => !Number.isNaN(records.issuedNs[row]!));
  if (issued.length < LEAST) return null;
  const dueNs = ordered(pick(records.dueNs, measured));
  const dueGaps = gapsOf(dueNs);
  const toleranceNs = Math.max(1e6, 0.05 * (percentile(window.sortedLatencyNs, 0.5) || 0));
  const due = sideOf(dueNs, dueNs, dueGaps, toleranceNs);
  const sent = sideOf(ordered(pick(records.issuedNs, issued)), dueNs, dueGaps, toleranceNs);
  const told = issued.filter((row) => !Number.isNaN(records.serverSeenNs[row]!));
  if (told.length < TOLD * issued.length || told.length < LEAST)
    return { toleranceNs, due, sent, seen: null, seenReason: unseen(told.length, issued.length) };
  return { toleranceNs, due, sent, seen: sideOf(onClientClock(window, told), dueNs, dueGaps, toleranceNs) };
}

function unseen(told: number, issued: number): string {
  if (told === 0) return 'the server does not tell when it saw a request';
  return `only ${told.toLocaleString('en-US')} of ${issued.toLocaleString('en-US')} requests carry the server’s word`;
}

function pick(column: Float64Array, rows: Uint32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i]!]!;
  return values;
}

/** Mostly they are in order already. */
function ordered(times: Float64Array): Float64Array {
  for (let i = 1; i < times.length; i++) if (times[i]! < times[i - 1]!) return ascending(times);
  return times;
}

/** The server's times, moved so that the fastest request took no time: only for laying the same windows over them. */
function onClientClock({ records }: MeasuredWindow, rows: Uint32Array): Float64Array {
  const seen = pick(records.serverSeenNs, rows);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) least = Math.min(least, seen[i]! - records.issuedNs[rows[i]!]!);
  for (let i = 0; i < seen.length; i++) seen[i]! -= least;
  return ordered(seen);
}

function sideOf(times: Float64Array, dueNs: Float64Array, dueGaps: Float64Array, toleranceNs: number): ArrivalSide {
  const first = dueNs[0]!;
  const last = dueNs.at(-1)!;
  const gaps = times === dueNs ? 0 : kolmogorovDistance(gapsOf(times), dueGaps, toleranceNs);
  const counts = WINDOWS_NS.flatMap((ns): Dispersion[] => {
    // A metronome must not tick on the windows' edges: they begin at an odd place behind the first request.
    const found = dispersion(times, ns, first + 0.618034 * ns, last);
    return found ? [found] : [];
  });
  return { count: times.length, gapDistance: gaps, dispersion: counts };
}

function gapsOf(times: Float64Array): Float64Array {
  const gaps = new Float64Array(Math.max(0, times.length - 1));
  for (let i = 0; i < gaps.length; i++) gaps[i] = times[i + 1]! - times[i]!;
  return ascending(gaps);
}
