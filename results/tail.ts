import { column, difference, parts } from './components.js';
import { OUTCOMES, type RecordTable } from './record.js';
import { ascending, percentile, percentileFloor } from './stats/index.js';

/** What one component adds in the slowest requests. */
export interface TailPart {
  readonly name: string;
  /** Its median over all requests, and over the slowest. */
  readonly typicalNs: number;
  readonly tailNs: number;
  /** Of the excess of all components together; negative where it shrinks in the tail. */
  readonly share: number;
}

export interface TailAttribution {
  /** Requests that told where their time went, and the slowest of them that are looked at. */
  readonly requests: number;
  readonly slowest: number;
  /** Median latency of all, and of the slowest. */
  readonly typicalNs: number;
  readonly tailNs: number;
  /** In the order of a request's way; `residual` last. */
  readonly parts: readonly TailPart[];
}

/**
 * Which component makes the slowest 1 % slow: per component its median in the slowest 1 % less its median over all, as a
 * share of all such excess. Medians, so that one stalled request does not speak for the tail. Undefined below the p99's floor
 * (662 requests) or where the server does not tell.
 */
export function tailAttribution(records: RecordTable): TailAttribution | undefined {
  const rows = toldRows(records);
  if (rows.length < percentileFloor(TAIL)) return undefined;
  const total = column(rows, difference(records.completedNs, records.dueNs));
  const border = percentile(ascending(total), TAIL);
  const inTail = total.map((ns) => (ns >= border ? 1 : 0));
  const columns = parts(records).map(({ name, value }) => ({ name, values: column(rows, value) }));
  const residual = total.map((ns, i) => columns.reduce((left, { values }) => left - (values[i]! || 0), ns));
  const found = [...columns, { name: 'residual', values: residual }].flatMap(({ name, values }) => {
    const typicalNs = median(values);
    const tailNs = median(values.filter((_, i) => inTail[i] === 1));
    return Number.isNaN(typicalNs) || Number.isNaN(tailNs) ? [] : [{ name, typicalNs, tailNs }];
  });
  const excess = found.reduce((sum, part) => sum + part.tailNs - part.typicalNs, 0);
  const slowest = total.filter((_, i) => inTail[i] === 1);
  return {
    requests: rows.length,
    slowest: slowest.length,
    typicalNs: median(total),
    tailNs: median(slowest),
    parts: found.map((part) => ({ ...part, share: excess > 0 ? (part.tailNs - part.typicalNs) / excess : 0 })),
  };
}

const TAIL = 0.99;
const OK = OUTCOMES.indexOf('ok');

function toldRows(records: RecordTable): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < records.length; row++)
    if (records.warmUp[row] === 0 && records.outcome[row] === OK && !Number.isNaN(records.queueNs[row]!))
      rows.push(row);
  return Uint32Array.from(rows);
}

function median(values: Float64Array): number {
  return percentile(ascending(values), 0.5);
}
