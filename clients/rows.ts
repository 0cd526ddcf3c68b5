import type { RecordTable } from '../results/record.js';

/** Appends all rows of one table to another that has room for them, with their error codes. */
export function appendRows(from: RecordTable, to: RecordTable): void {
  const target = columns(to);
  for (const [name, column] of columns(from)) target.get(name)!.set(column.subarray(0, from.length), to.length);
  to.processedAt = from.processedAt;
  for (let row = 0; row < from.length; row++) {
    to.error[to.length + row] = to.errorNumber(from.errorCodes[from.error[row]!]!);
    to.sequence[to.length + row] = to.length + row;
  }
  to.length += from.length;
}

/** Rows of several tables of one load as one, in the order that `part` and `row` tell, numbered by their new places. */
export function gatherRows(tables: readonly RecordTable[], part: Uint32Array, row: Uint32Array, to: RecordTable): void {
  const sources = tables.map(columns);
  for (const [name, target] of columns(to)) {
    const from = sources.map((source) => source.get(name)!);
    for (let at = 0; at < row.length; at++) target[at] = from[part[at]!]![row[at]!]!;
  }
  const errors = tables.map((table) => table.errorCodes.map((code) => to.errorNumber(code)));
  for (let at = 0; at < row.length; at++) {
    to.error[at] = errors[part[at]!]![tables[part[at]!]!.error[row[at]!]!]!;
    to.sequence[at] = at;
  }
  to.processedAt = tables[0]!.processedAt;
  to.tenants.splice(0, to.tenants.length, ...tables[0]!.tenants);
  to.length = row.length;
}

/** Moves the origin of the times of the first `count` rows: each becomes earlier by so much. */
export function shiftTimes(table: RecordTable, count: number, byNs: number): void {
  for (const column of [table.dueNs, table.issuedNs, table.sentNs, table.firstByteNs, table.completedNs])
    for (let row = 0; row < count; row++) column[row]! -= byNs;
}

/** The latest completion of rows from `first` on; NaN where nothing completed. */
export function lastCompletion(table: RecordTable, first: number): number {
  let latest = Number.NaN;
  for (let row = first; row < table.length; row++) {
    const completed = table.completedNs[row]!;
    if (!(completed <= latest) && !Number.isNaN(completed)) latest = completed;
  }
  return latest;
}

/** Due time of the last row; 0 where there is none from `first` on. Open loads only: their rows are in order. */
export function lastDue(table: RecordTable, first: number): number {
  return table.length > first ? table.dueNs[table.length - 1]! : 0;
}

type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array | Int8Array;

function columns(table: RecordTable): Map<string, Column> {
  return new Map(Object.entries(table).filter((entry): entry is [string, Column] => ArrayBuffer.isView(entry[1])));
}
