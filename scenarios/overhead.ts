import { OUTCOMES, type RecordTable } from '../results/record.js';
import { ascending, mean, percentile } from '../results/stats/index.js';
import { readRun, readTrialRecords } from '../results/store.js';
import { type CostTable, costOf } from '../servers/executors/index.js';
import type { SystemSpec, TrialSpec } from './contract.js';

/** What serving adds to a model's cost table on this host, over one transport; ns. */
export interface ServedOverhead {
  /** An execution keeps its instance busy for so much longer than when it is profiled alone. */
  readonly executionNs: number;
  /** A request is under way for so much longer than it waits and computes: both ways through network, kernels, event loops. */
  readonly requestNs: number;
  /** How the probe went, request by request in the order in which they were done: a machine has good and bad moments. */
  readonly course: Course;
  /** Of the probe: at this rate its client and its server thread are as busy as they can be. */
  readonly ratePerSecond: number;
}

/** Columns, one row a request. Empty: nothing varies. */
export interface Course {
  /** When its execution was over, had one followed on the other from 0; ascends. */
  readonly atNs: Float64Array;
  /** What neither queue nor compute explains: at least `requestNs`. */
  readonly restNs: Float64Array;
  /** Mean time of an execution. */
  readonly unitNs: number;
}

export const NO_OVERHEAD: ServedOverhead = {
  executionNs: 0,
  requestNs: 0,
  course: { atNs: new Float64Array(), restNs: new Float64Array(), unitNs: 1 },
  ratePerSecond: 0,
};

/**
 * The overhead that the run's own capacity probe shows: a closed loop that kept one `serial` instance busy. Its period less the
 * profiled cost is what an execution costs more when a server thread and a client want the processors too; the low tail (p10)
 * of what neither queue nor compute explains is the way there and back, the rest of it is waiting for a busy event loop. None where
 * the run has no measured probe of a serial system of that model over that transport.
 */
export function measuredOverhead(folder: string, spec: TrialSpec, table: CostTable): ServedOverhead {
  const { plan, outcomes } = readRun(folder);
  const details = new Map(plan.trials.map(({ identity, detail }) => [identity.id, detail as TrialSpec]));
  for (const outcome of outcomes) {
    if (outcome.state !== 'completed' || outcome.summary.trial.loadType !== 'probe') continue;
    const { trial, throughputPerSecond: rate } = outcome.summary;
    const probe = details.get(trial.id);
    if (
      trial.simulated ||
      trial.transport !== spec.identity.transport ||
      !probe ||
      !saturates(probe.system, spec.system)
    )
      continue;
    const records = readTrialRecords(folder, trial.id);
    if (records && rate) return overheadOf(records, rate, table);
  }
  return NO_OVERHEAD;
}

/** Of a probe's records and rate; a probe whose server does not tell its times has no way there and back. */
export function overheadOf(records: RecordTable, ratePerSecond: number, table: CostTable): ServedOverhead {
  const ok = OUTCOMES.indexOf('ok');
  const rows = Array.from({ length: records.length }, (_, row) => row)
    .filter((row) => records.warmUp[row] === 0 && records.outcome[row] === ok)
    .map((row) => {
      const computed = computeNs(records, row);
      const rest = records.completedNs[row]! - records.issuedNs[row]! - records.queueNs[row]! - computed;
      return { completedNs: records.completedNs[row]!, computed, rest };
    })
    .filter(({ rest }) => !Number.isNaN(rest))
    .sort((a, b) => a.completedNs - b.completedNs);
  const low = percentile(ascending(Float64Array.from(rows, ({ rest }) => rest)), 0.1);
  const requestNs = rows.length === 0 ? 0 : Math.max(0, Math.round(low));
  const executionNs = Math.max(0, Math.round(1e9 / ratePerSecond - costOf(table, 1)));
  return { executionNs, requestNs, ratePerSecond, course: courseOf(rows, requestNs, costOf(table, 1) + executionNs) };
}

function courseOf(
  rows: readonly { readonly computed: number; readonly rest: number }[],
  requestNs: number,
  unitNs: number,
): Course {
  const meanNs = mean(Float64Array.from(rows, ({ computed }) => computed));
  const atNs = new Float64Array(rows.length);
  for (let i = 0, at = 0; i < rows.length; i++) {
    at += meanNs > 0 ? (rows[i]!.computed / meanNs) * unitNs : unitNs;
    atNs[i] = at;
  }
  return { atNs, restNs: Float64Array.from(rows, ({ rest }) => Math.max(requestNs, Math.round(rest))), unitNs };
}

/**
 * Lives through the probe's course again and again: how fast the machine is from one moment to the next. Made for instants that
 * ascend, or nearly so.
 */
export class Replay {
  readonly #course: Course;
  readonly #lengthNs: number;
  #place = 0;

  constructor(course: Course) {
    this.#course = course;
    this.#lengthNs = course.atNs[course.atNs.length - 1] ?? 0;
  }

  /**
   * How long from `now` on an execution takes that takes `meanNs` at the course's mean speed. A stall ends when it did in the
   * probe, however late the execution began and however large it is.
   */
  durationFrom(now: number, meanNs: number): number {
    const { atNs, unitNs } = this.#course;
    if (this.#lengthNs === 0) return meanNs;
    let at = now % this.#lengthNs;
    let place = this.#at(at);
    let [left, took] = [meanNs / unitNs, 0];
    for (;;) {
      const length = atNs[place]! - (place === 0 ? 0 : atNs[place - 1]!);
      const here = length > 0 ? (atNs[place]! - at) / length : 1;
      if (left <= here) return Math.max(1, Math.round(took + left * length));
      left -= here;
      took += atNs[place]! - at;
      place = place + 1 === atNs.length ? 0 : place + 1;
      at = place === 0 ? 0 : atNs[place - 1]!;
    }
  }

  /** What a request is under way at that instant; undefined where nothing is known. */
  restAt(now: number): number | undefined {
    return this.#lengthNs === 0 ? undefined : this.#course.restNs[this.#at(now % this.#lengthNs)]!;
  }

  /** The execution under way at that instant of the course. */
  #at(at: number): number {
    const { atNs } = this.#course;
    while (atNs[this.#place]! <= at) this.#place++;
    while (this.#place > 0 && atNs[this.#place - 1]! > at) this.#place--;
    return this.#place;
  }
}

function computeNs({ computeInputNs, computeInferNs, computeOutputNs }: RecordTable, row: number): number {
  return computeInputNs[row]! + computeInferNs[row]! + computeOutputNs[row]!;
}

function saturates(probed: SystemSpec, system: SystemSpec): boolean {
  const sameModel = JSON.stringify(probed.model) === JSON.stringify(system.model);
  return sameModel && probed.strategy.name === 'serial' && probed.instances === 1;
}
