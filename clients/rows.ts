import type { RecordTable } from '../results/record.js';

/** Appends all rows of one table to another that has room for them, with their error codes. */
export function appendRows(from: RecordTable, to: RecordTable): void {
  const target = columns(to);
  for (const [name, column] of columns(from)) target.get(name)!.set(column.subarray(0, from.length), to.length);
  for (let row = 0; row < from.length; row++) {
    to.error[to.length + row] = to.errorNumber(from.errorCodes[from.error[row]!]!);
    to.sequence[to.length + row] = to.length + row;
  }
  to.length += from.length;
}

/** Appends one row, numbered by its new place. */
export function appendRow(from: RecordTable, row: number, to: RecordTable): void {
  const at = to.length++;
  for (const name of COLUMNS) to[name][at] = from[name][row]!;
  to.error[at] = to.errorNumber(from.errorCodes[from.error[row]!]!);
  to.sequence[at] = at;
}

/** Moves the origin of the times of the first `count` rows: each becomes earlier by so much. */
export function shiftTimes(table: RecordTable, count: number, byNs: number): void {
  for (const column of [table.dueNs, table.issuedNs, table.firstByteNs, table.completedNs])
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

const COLUMNS = [
  'query',
  'sampleIndex',
  'rows',
  'dueNs',
  'issuedNs',
  'firstByteNs',
  'completedNs',
  'outcome',
  'warmUp',
  'receiveNs',
  'queueNs',
  'computeInputNs',
  'computeInferNs',
  'computeOutputNs',
  'serialiseNs',
  'batchSize',
  'executionId',
  'correct',
] as const satisfies readonly (keyof RecordTable)[];

type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array | Int8Array;

function columns(table: RecordTable): Map<string, Column> {
  return new Map(Object.entries(table).filter((entry): entry is [string, Column] => ArrayBuffer.isView(entry[1])));
}
