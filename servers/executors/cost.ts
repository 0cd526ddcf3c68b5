import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import type { Execute, InstanceInfo, Nanos } from '../strategies/index.js';
import type { CostTable } from './contract.js';

/** What executions cost: one table for every model, or one for each, or both. */
export interface CostTables {
  /** Of models that have none of their own. */
  readonly cost?: CostTable | undefined;
  readonly costs?: Readonly<Record<string, CostTable>> | undefined;
}

/** The costs of a set of instances; all answers are integer ns. */
export interface CostModel {
  /** The profile: without the instance's speed. */
  cost(rows: number, model?: string): Nanos;
  /** On that instance, at least 1 ns. */
  costOn(instance: number, rows: number, model?: string): Nanos;
  /** How long an execution lasts. Its own `durationNs` already is a duration on its instance: no speed applies to it. */
  durationOf(execution: Execute): Nanos;
}

/** Schema of a cost table: at least one point `[rows, ns]`, rows ascending, both whole numbers. */
export const costTable = z
  .array(z.tuple([z.number().int().positive(), z.number().int().nonnegative()]))
  .min(1)
  .refine((points) => points.every((point, i) => i === 0 || points[i - 1]![0] < point[0]), {
    error: 'rows must ascend',
  });

/** `cost(rows)` of a model without a table of its own is `cost`. Throws UserError for a model that has neither. */
export function costModel(instances: readonly InstanceInfo[], tables: CostTables): CostModel {
  const speeds = instances.map((instance) => instance.speed);
  const own = new Map(Object.entries(tables.costs ?? {}));
  const tableOf = (model?: string): CostTable => {
    const table = (model === undefined ? undefined : own.get(model)) ?? tables.cost;
    return table ?? noTable(model, [...own.keys()]);
  };
  const cost = (rows: number, model?: string): Nanos => costOf(tableOf(model), rows);
  const costOn = (instance: number, rows: number, model?: string): Nanos =>
    withSpeed(cost(rows, model), speeds[instance] ?? 1);
  const durationOf = (execution: Execute): Nanos =>
    execution.durationNs === undefined
      ? costOn(
          execution.instance,
          execution.paddedRows ?? execution.rows,
          execution.model ?? execution.requests[0]?.model,
        )
      : Math.max(1, execution.durationNs);
  return { cost, costOn, durationOf };
}

/**
 * Cost of an execution of so many rows. Constant up to the first point, then linear on the segment that holds `rows`, beyond
 * the last point on the last segment; rounded half up, exactly.
 */
export function costOf(table: CostTable, rows: number): Nanos {
  const first = table[0]!;
  if (table.length === 1 || rows <= first[0]) return first[1];
  let right = 1;
  while (right < table.length - 1 && table[right]![0] < rows) right++;
  const [x0, y0] = table[right - 1]!;
  const [x1, y1] = table[right]!;
  return y0 + divideHalfUp((y1 - y0) * 2, rows - x0, x1 - x0);
}

/** floor((slope × n + d) / (2 d)). A quotient of integers below 2^53 has the right floor as a double; larger ones need BigInt. */
function divideHalfUp(slope: number, n: number, d: number): number {
  const numerator = slope * n + d;
  if (Math.abs(numerator) < Number.MAX_SAFE_INTEGER) return Math.floor(numerator / (2 * d));
  const exact = BigInt(slope) * BigInt(n) + BigInt(d);
  const divisor = 2n * BigInt(d);
  const towardsZero = exact / divisor;
  return Number(exact < 0n && exact % divisor !== 0n ? towardsZero - 1n : towardsZero);
}

/** Without a factor nothing is rounded: c + 0.5 need not be a double. */
function withSpeed(cost: Nanos, speed: number): Nanos {
  return Math.max(1, speed === 1 ? cost : Math.floor(cost * speed + 0.5));
}

function noTable(model: string | undefined, known: readonly string[]): never {
  throw new UserError({
    place: model === undefined ? 'cost' : `costs.${model}`,
    found: model === undefined ? 'no cost table for requests without a model' : `no cost table for model "${model}"`,
    allowed: known.length > 0 ? `tables exist for ${known.join(', ')}` : undefined,
    remedy: 'Give `cost` for all models or one table a model in `costs`',
  });
}
