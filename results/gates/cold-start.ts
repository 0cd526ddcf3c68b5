import { ascending, percentile } from '../stats/index.js';
import { formatDuration } from '../units.js';
import type { GateDefinition, GateInput } from './contract.js';

/** The beginning is the first fifth of the answers, held against their second half. */
const BEGINNING = 0.2;
const REST = 0.5;
/** A factor of the medians: what a queue or a passing stall does to them stays below it. */
const FACTOR = 1.5;
const LEAST = 500;
/** Open loads whose rate differs by more between the two (ramps, spikes) say nothing of warmth. */
const SAME_RATE = 0.25;

/**
 * A server that was still compiling, allocating or filling its caches when t = 0 came: what a request took besides waiting in its
 * queue fell by a third or more from the beginning to the second half. Servers that do not tell the time in the queue are not judged.
 */
export const coldStart: GateDefinition = {
  name: 'cold-start',
  summary: 'what a request takes besides waiting is the same at the beginning as later',
  check({ window, trial, load }) {
    const { rows, records } = window;
    if (trial.simulated || load.latenessExpected || rows.length < LEAST) return undefined;
    const beginning = rows.subarray(0, Math.floor(rows.length * BEGINNING));
    const rest = rows.subarray(Math.ceil(rows.length * REST));
    if (window.scheduled && !sameRate(records, beginning, rest)) return undefined;
    const [first, later] = [serviceOf(records, beginning), serviceOf(records, rest)];
    if (!(first > FACTOR * later)) return undefined;
    return {
      severity: 'warning',
      message: `The server was still warming up: a request took ${formatDuration(first)} besides waiting in its queue at the beginning (median of the first fifth) and ${formatDuration(later)} in the second half.`,
      advice: 'Warm up longer (warmUp: 2s), or measure longer, so that the beginning weighs less.',
    };
  },
};

type Records = GateInput['window']['records'];

/** Median; NaN where the server tells no queue. */
function serviceOf({ completedNs, issuedNs, queueNs }: Records, rows: Uint32Array): number {
  const service = Float64Array.from(rows, (row) => completedNs[row]! - issuedNs[row]! - queueNs[row]!);
  return service.some(Number.isNaN) ? Number.NaN : percentile(ascending(service), 0.5);
}

function sameRate({ dueNs }: Records, beginning: Uint32Array, rest: Uint32Array): boolean {
  const pace = (rows: Uint32Array) => rows.length / (dueNs[rows.at(-1)!]! - dueNs[rows[0]!]!);
  return Math.abs(pace(beginning) / pace(rest) - 1) <= SAME_RATE;
}
