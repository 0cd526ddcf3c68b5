import type { RecordTable } from './record.js';
import { ascending, distribution, mean } from './stats/index.js';
import type { ComponentSummary } from './summary.js';

export interface Components {
  readonly components: readonly ComponentSummary[];
  /** Σ components / end-to-end, of sums; and without `network`, which is a difference of what both ends measured. */
  readonly closure: number | null;
  readonly closureWithoutNetwork: number | null;
}

/**
 * Where the time of a request went, end to end from due to completed:
 * `lateness` due → issued, `send` issued → last byte handed to the socket (client), `receive` first byte → decoded,
 * `load` waiting for its model to be loaded, `queue`, `computeInput`, `computeInfer`, `computeOutput`, `serialise` (server),
 * `download` first byte → completed (client).
 * Of a model with processors `preprocess` and `postprocess`, in the server or in the client: what the client does of them
 * (with encoding and decoding) is taken out of `send` and `download`.
 * `network` is what the client waited for the first byte beyond what the server had the request, each by its own clock:
 * wires, kernels, and the event loops of both ends. `residual` is the rest, which no stamp covers. Both are signed and never
 * clamped: a negative one shows that two components overlap. Of the ok requests whose server tells; no components and no
 * closure where it never does; no `send` or no `network` where the client's engine or the server does not stamp it.
 */
export function componentSummaries(records: RecordTable, okRows: Uint32Array): Components {
  const rows = okRows.filter((row) => !Number.isNaN(records.queueNs[row]!));
  if (rows.length === 0) return { components: [], closure: null, closureWithoutNetwork: null };
  const total = column(rows, difference(records.completedNs, records.dueNs));
  const slowest = slowestHundredth(total);
  const explained = new Float64Array(rows.length);
  let networkNs = 0;
  const components: ComponentSummary[] = [];
  for (const { name, value } of parts(records)) {
    const values = column(rows, value);
    for (let i = 0; i < values.length; i++) explained[i]! += values[i]! || 0;
    if (name === 'network') networkNs = meanOfAll(values);
    components.push(summary(name, values, slowest));
  }
  const residual = total.map((ns, i) => ns - explained[i]!);
  components.push(summary('residual', residual, slowest));
  // A component that never happened (no first byte told, say) is left out, not shown as zero.
  const told = components.filter(({ latencyNs }) => latencyNs.count > 0);
  const whole = mean(total);
  const share = (ns: number) => (whole > 0 ? ns / whole : null);
  const explainedNs = mean(explained);
  return { components: told, closure: share(explainedNs), closureWithoutNetwork: share(explainedNs - networkNs) };
}

type PerRow = (row: number) => number;

/** Every component but the residual, as a function of the row. */
export function parts(records: RecordTable): readonly { readonly name: string; readonly value: PerRow }[] {
  const inClient = (durations: Float64Array) => (records.processedAt === 'client' ? durations : undefined);
  const own = (
    name: 'receive' | 'load' | 'queue' | 'computeInput' | 'computeInfer' | 'computeOutput' | 'serialise',
  ) => {
    const values = records[`${name}Ns`];
    return { name, value: (row: number) => values[row]! };
  };
  return [
    { name: 'lateness', value: difference(records.issuedNs, records.dueNs) },
    { name: 'preprocess', value: (row) => records.preprocessNs[row]! },
    { name: 'send', value: without(difference(records.sentNs, records.issuedNs), inClient(records.preprocessNs)) },
    own('receive'),
    own('load'),
    own('queue'),
    own('computeInput'),
    own('computeInfer'),
    own('computeOutput'),
    own('serialise'),
    { name: 'network', value: networkOf(records) },
    {
      name: 'download',
      value: without(difference(records.completedNs, records.firstByteNs), inClient(records.postprocessNs)),
    },
    { name: 'postprocess', value: (row) => records.postprocessNs[row]! },
  ];
}

/** A duration without one that lies in it, where there is one. */
function without(whole: PerRow, part: Float64Array | undefined): PerRow {
  return part ? (row) => whole(row) - (part[row]! || 0) : whole;
}

/** Two durations, each of one clock: the client's wait for the first byte once all was sent, and the server's whole time. */
function networkOf({ firstByteNs, sentNs, serverTotalNs }: RecordTable): PerRow {
  return (row) => firstByteNs[row]! - sentNs[row]! - serverTotalNs[row]!;
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

/** Absent counts as nothing: a mean that adds up with the others. */
function meanOfAll(values: Float64Array): number {
  return values.reduce((sum, value) => sum + (value || 0), 0) / values.length;
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
