import type { CostTable } from '../../executors/contract.js';
import { costOf } from '../../executors/cost.js';

export interface PipelineForm {
  readonly rows: number;
  /** One cost table a stage. */
  readonly stages: readonly CostTable[];
  /** Between stages. */
  readonly transferNs: number;
  /** Workers of each stage; default 1 each. */
  readonly workers?: readonly number[] | undefined;
}

/**
 * Micro-batch i enters stage j when it has left j − 1 and was carried over, and one of the stage's workers has finished what
 * it had. With p stages of one worker and equal cost c, m micro-batches end after (m + p − 1) c. Source: Huang et al., *GPipe*.
 */
export function pipelineSchedule({ rows, stages, transferNs, workers }: PipelineForm, microBatches: number) {
  const microRows = split(rows, microBatches);
  const freeAt = stages.map((_, j) => new Array<number>(workers?.[j] ?? 1).fill(0));
  const busyNs = stages.map(() => 0);
  let makespanNs = 0;
  for (const micro of microRows) {
    let readyAt = 0;
    for (const [j, stage] of stages.entries()) {
      const cost = costOf(stage, micro);
      const own = freeAt[j]!;
      const first = own.indexOf(Math.min(...own));
      own[first] = Math.max(own[first]!, readyAt) + cost;
      busyNs[j]! += cost;
      makespanNs = Math.max(makespanNs, own[first]);
      readyAt = own[first] + transferNs;
    }
  }
  const busy = busyNs.reduce((sum, ns) => sum + ns, 0);
  const all = freeAt.reduce((sum, own) => sum + own.length, 0);
  return { microRows, makespanNs, busyNs, efficiency: busy / (all * makespanNs) };
}

/** Evenly, the first ones larger by one. */
function split(rows: number, parts: number): number[] {
  const larger = rows % parts;
  return Array.from({ length: parts }, (_, i) => Math.floor(rows / parts) + (i < larger ? 1 : 0));
}
