import { availableParallelism } from 'node:os';
import type { LoadPlan } from '../../clients/loads/index.js';
import { OUTCOMES } from '../../results/record.js';
import { ascending, percentile } from '../../results/stats/index.js';
import type { TuningFigures } from '../../results/tuning.js';
import { type CostTable, costOf } from '../../servers/executors/index.js';
import type { SystemSpec } from '../contract.js';
import { simulateTrial } from '../simulated.js';

/** Threads that compute at once: instances × threads of each. */
export function coresOf(system: SystemSpec): number {
  return system.instances * threadsOf(system);
}

function threadsOf(system: SystemSpec): number {
  const threads = (system.model.options as { intraOpNumThreads?: unknown } | undefined)?.intraOpNumThreads;
  return typeof threads === 'number' ? threads : 1;
}

/**
 * A configuration in virtual time. Where it computes on more threads than the machine has processors, all slow down in
 * proportion; where executions and `besideNs` (of processor time a request: load process, frontend, hand-over) need more than
 * all of them, the rate falls to what they manage and latencies grow as much. Memory bandwidth is not simulated: that is what
 * the real evaluation is for.
 */
export function simulatedFigures(
  system: SystemSpec,
  plan: LoadPlan,
  table: CostTable,
  accuracy: number | null,
  besideNs = 0,
): TuningFigures {
  const crowd = Math.max(1, coresOf(system) / availableParallelism());
  const scaled: CostTable = table.map(([rows, ns]) => [rows, Math.round(ns * crowd)]);
  const { records, durationNs, batches } = simulateTrial(system, plan, scaled);
  const ok = OUTCOMES.indexOf('ok');
  const latencies: number[] = [];
  for (let row = 0; row < records.length; row++)
    if (records.outcome[row] === ok) latencies.push(records.completedNs[row]! - records.dueNs[row]!);
  const sorted = ascending(Float64Array.from(latencies));
  const executions = [...batches.values()].reduce((sum, count) => sum + count, 0);
  const rows = [...batches].reduce((sum, [size, count]) => sum + size * count, 0);
  const some = sorted.length > 0;
  const computeNs =
    [...batches].reduce((sum, [size, count]) => sum + count * costOf(table, size), 0) * threadsOf(system);
  const slower = Math.max(1, (computeNs + sorted.length * besideNs) / (availableParallelism() * durationNs));
  return {
    throughputPerSecond: durationNs > 0 ? (sorted.length * 1e9) / (durationNs * slower) : null,
    p50LatencyNs: some ? percentile(sorted, 0.5) * slower : null,
    p99LatencyNs: some ? percentile(sorted, 0.99) * slower : null,
    errorRate: records.length > 0 ? 1 - sorted.length / records.length : null,
    meanBatch: executions > 0 ? rows / executions : null,
    cpuSecondsPerRequest: null,
    cores: coresOf(system),
    accuracy,
  };
}
