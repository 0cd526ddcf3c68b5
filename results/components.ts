import type { RecordTable } from './record.js';
import { ascending, distribution, mean } from './stats/index.js';
import type { ComponentSummary } from './summary.js';

/**
 * Where the time of a request went, end to end from due to completed:
 * `lateness` due → issued (client), `receive` first byte → decoded, `queue`, `computeInput`, `computeInfer`,
 * `computeOutput`, `serialise` (server), `download` first byte → completed (client). `residual` is the rest: both ways
 * through the network, kernels and event loops. It is signed and never clamped: a negative one shows that two components
 * overlap. Of the ok requests whose server tells; no components and no closure where it never does.
 */
export function componentSummaries(
  records: RecordTable,
  okRows: Uint32Array,
): { readonly components: readonly ComponentSummary[]; readonly closure: number | null } {
  const rows = okRows.filter((row) => !Number.isNaN(records.queueNs[row]!));
  if (rows.length === 0) return { components: [], closure: null };
  const total = column(rows, difference(records.completedNs, records.dueNs));
  const slowest = slowestHundredth(total);
  const explained = new Float64Array(rows.length);
  const components: ComponentSummary[] = [];
  for (const { name, value } of parts(records)) {
    const values = column(rows, value);
    for (let i = 0; i < values.length; i++) explained[i]! += values[i]! || 0;
    components.push(summary(name, values, slowest));
  }
  const residual = total.map((ns, i) => ns - explained[i]!);
  components.push(summary('residual', residual, slowest));
  // A component that never happened (no first byte told, say) is left out, not shown as zero.
  const told = components.filter(({ latencyNs }) => latencyNs.count > 0);
  const whole = mean(total);
  return { components: told, closure: whole > 0 ? mean(explained) / whole : null };
}

type PerRow = (row: number) => number;

/** Every component but the residual, as a function of the row. */
export function parts(records: RecordTable): readonly { readonly name: string; readonly value: PerRow }[] {
  const own = (name: 'receive' | 'queue' | 'computeInput' | 'computeInfer' | 'computeOutput' | 'serialise') => {
    const values = records[`${name}Ns`];
    return { name, value: (row: number) => values[row]! };
  };
  return [
    { name: 'lateness', value: difference(records.issuedNs, records.dueNs) },
    own('receive'),
    own('queue'),
    own('computeInput'),
    own('computeInfer'),
    own('computeOutput'),
    own('serialise'),
    { name: 'download', value: difference(records.completedNs, records.firstByteNs) },
  ];
}

/** Of two instants of a row. */
export function difference(later: Float64Array, earlier: Float64Array): PerRow {
  return (row) => later[row]! - earlier[row]!;
}

/** A component's values of these rows. */
export function column(rows: Uint32Array, value: PerRow): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = value(rows[i]!);
  return values;
}

function summary(name: string, values: Float64Array, slowest: Uint32Array): ComponentSummary {
  return { name, latencyNs: distribution(ascending(values)), tailMeanNs: tailMean(values, slowest) };
}

/** Positions of the slowest 1 % (with ties at the border); none below 100 requests. */
function slowestHundredth(total: Float64Array): Uint32Array {
  const count = Math.floor(total.length / 100);
  if (count === 0) return new Uint32Array();
  const border = ascending(total)[total.length - count]!;
  const positions: number[] = [];
  for (let i = 0; i < total.length; i++) if (total[i]! >= border) positions.push(i);
  return Uint32Array.from(positions);
}

function tailMean(values: Float64Array, positions: Uint32Array): number | null {
  let sum = 0;
  let count = 0;
  for (const i of positions) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? null : sum / count;
}
