import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import type { CostTable } from '../../../servers/executors/contract.js';
import { costModel } from '../../../servers/executors/cost.js';
import { simulate } from '../../../servers/executors/virtual.js';
import type { StrategyRequest } from '../../../servers/strategies/contract.js';
import { createStrategy } from '../../../servers/strategies/registry.js';

export const MS = 1_000_000;

export interface Stage {
  readonly strategy: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly instances?: number | readonly { readonly speed?: number }[];
  /** Ms of an execution of any size; 10 where absent. */
  readonly costMs?: number;
  readonly cost?: CostTable;
  /** Of models that have their own. */
  readonly costs?: Readonly<Record<string, CostTable>>;
  readonly untilMs?: number;
}

/** A request by its arrival in ms; ids a, b, c … by position unless given. */
export type Arrival = number | (Partial<Omit<StrategyRequest, 'at'>> & { readonly at: number });

/**
 * What a strategy does with these arrivals, one line an event, times in ms: `{a,b} @ 5–15 on 0`, `c rejected @ 6: timeout`,
 * `a answered @ 15` (explicit answers only), `killed @ 6 on 0`, `2 replicas @ 3`.
 */
export function play(stage: Stage, arrivals: readonly Arrival[]): string[] {
  const instances = instanceList(stage.instances ?? 1);
  const costs = costModel(instances, { cost: stage.cost ?? [[1, (stage.costMs ?? 10) * MS]], costs: stage.costs });
  const strategy = createStrategy(stage.strategy, stage.options, strategyContext(instances, costs));
  const requests = arrivals.map(requestOf);
  const until = stage.untilMs === undefined ? undefined : stage.untilMs * MS;
  const lines: string[] = [];
  simulate(
    { strategy, instances, durationOf: costs.durationOf, requests, until },
    {
      started: ({ requests: batch, instance }, start, end) =>
        lines.push(`{${batch.map(({ id }) => id).join()}} @ ${start / MS}–${end / MS} on ${instance}`),
      rejected: ({ id }, at, reason) => lines.push(`${id} rejected @ ${at / MS}: ${reason}`),
      ended: ({ instance }, _start, end, killed) => killed && lines.push(`killed @ ${end / MS} on ${instance}`),
      scaled: (replicas, at) => lines.push(`${replicas} replicas @ ${at / MS}`),
      answered: ({ id }, at, _source, explicit) => explicit && lines.push(`${id} answered @ ${at / MS}`),
    },
  );
  return lines;
}

function requestOf(arrival: Arrival, position: number): StrategyRequest {
  const given = typeof arrival === 'number' ? { at: arrival } : arrival;
  return { id: String.fromCharCode(97 + position), rows: 1, ...given, at: given.at * MS };
}
