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
  /** How long executions took, by that of their mean: what a duration is multiplied with, drawn at random. Empty: always 1. */
  readonly spread: Float64Array;
}

export const NO_OVERHEAD: ServedOverhead = { executionNs: 0, requestNs: 0, spread: new Float64Array() };

/**
 * The overhead that the run's own capacity probe shows: a closed loop that kept one `serial` instance busy. Its period less the
 * profiled cost is what an execution costs more when a server thread and a client want the processors too; the low tail (p10)
 * of what neither queue nor compute explains is the way there and back (the rest of it is waiting for a busy event loop). None where
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
  const rest = new Float64Array(records.length).fill(Number.NaN);
  const computed = new Float64Array(records.length).fill(Number.NaN);
  for (let row = 0; row < records.length; row++)
    if (records.warmUp[row] === 0 && records.outcome[row] === ok) {
      computed[row] = computeNs(records, row);
      rest[row] = records.completedNs[row]! - records.issuedNs[row]! - records.queueNs[row]! - computed[row]!;
    }
  const sorted = ascending(rest);
  return {
    executionNs: Math.max(0, Math.round(1e9 / ratePerSecond - costOf(table, 1))),
    requestNs: sorted.length === 0 ? 0 : Math.max(0, Math.round(percentile(sorted, 0.1))),
    spread: byTheirMean(ascending(computed)),
  };
}

function byTheirMean(values: Float64Array): Float64Array {
  const whole = mean(values);
  return whole > 0 ? values.map((value) => value / whole) : new Float64Array();
}

function computeNs({ computeInputNs, computeInferNs, computeOutputNs }: RecordTable, row: number): number {
  return computeInputNs[row]! + computeInferNs[row]! + computeOutputNs[row]!;
}

function saturates(probed: SystemSpec, system: SystemSpec): boolean {
  const sameModel = JSON.stringify(probed.model) === JSON.stringify(system.model);
  return sameModel && probed.strategy.name === 'serial' && probed.instances === 1;
}
