import { readFileSync } from 'node:fs';
import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int8,
  Int16,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Timestamp,
  tableFromIPC,
  tableToIPC,
  Uint32,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { messageOf, UserError } from './errors.js';
import { writeFileAtomic } from './files.js';
import { OUTCOMES, RecordTable, UNKNOWN } from './record.js';

const RECORDS_SCHEMA = 1;
const PROCESSED_AT = 'servemark.processing';

/**
 * Writes the records as one Arrow IPC file that DuckDB, pandas and polars open as it is: `outcome` and `error` are text
 * (dictionary columns), `warmUp` is boolean, what did not happen is null. `metadata` goes into the file's schema, with
 * `servemark.schema`. Atomic. Throws UserError where it can't be written.
 */
export function writeRecords(path: string, table: RecordTable, metadata: Readonly<Record<string, string>>): void {
  const columns = [
    ...numberColumns(table),
    ...textColumns(table),
    ...tenantColumn(table),
    warmUpColumn(table),
    correctColumn(table),
  ];
  const fields = columns.map(([name, data]) => new Field(name, data.type, data.nullCount > 0));
  const entries = new Map([
    ...Object.entries(metadata),
    ['servemark.schema', String(RECORDS_SCHEMA)],
    ...(table.processedAt ? [[PROCESSED_AT, table.processedAt] as const] : []),
  ]);
  const schema = new Schema(fields, entries);
  const struct = makeData({
    type: new Struct(fields),
    length: table.length,
    children: columns.map(([, data]) => data),
  });
  const bytes = tableToIPC(new Table([new RecordBatch(schema, struct)]), 'file');
  writeFileAtomic(path, bytes, 'the records of this trial');
}

/** Reads what `writeRecords` wrote. Throws UserError where it is no such file. */
export function readRecords(path: string): RecordTable {
  return readRecordFile(path).records;
}

/** The records and the file's metadata. Throws UserError where it is no such file. */
export function readRecordFile(path: string): {
  readonly records: RecordTable;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const table = open(path);
  const records = new RecordTable(table.numRows);
  records.length = table.numRows;
  for (const name of [...UINT32, ...FLOAT64])
    if (table.getChild(name) || !LATER.includes(name)) fillNumbers(table, name, records[name]);
  fillTexts(table, 'outcome', records.outcome, (text) => Math.max(0, OUTCOMES.indexOf(text as never)));
  fillTexts(table, 'error', records.error, (text) => records.errorNumber(text));
  if (table.getChild('tenant')) fillTexts(table, 'tenant', records.tenant, (text) => indexIn(records.tenants, text));
  fillNumbers(table, 'correct', records.correct, UNKNOWN);
  const warmUp = column(table, 'warmUp');
  for (let row = 0; row < records.length; row++) records.warmUp[row] = warmUp.get(row) ? 1 : 0;
  const processedAt = table.schema.metadata.get(PROCESSED_AT);
  if (processedAt === 'server' || processedAt === 'client') records.processedAt = processedAt;
  return { records, metadata: Object.fromEntries(table.schema.metadata) };
}

/**
 * A column of times of any Arrow IPC file, in ns from the earliest, in the file's order; nulls are left out. Timestamps
 * carry their unit, other numbers are in units of `unitNs`. `name` default: the first column. Throws UserError.
 */
export function readArrowTimes(path: string, name: string | undefined, unitNs: number): Float64Array {
  const table = openAny(path);
  const names = table.schema.fields.map((field) => field.name);
  const vector = table.getChild(name ?? names[0] ?? '');
  if (!vector)
    throw new UserError({ place: path, found: `there is no column "${name ?? ''}"`, allowed: names.join(', ') });
  const type: unknown = vector.type;
  const unit = type instanceof Timestamp ? TIMESTAMP_NS[type.unit as number]! : unitNs;
  const exact: (bigint | number)[] = [];
  for (const data of vector.data as readonly Data<DataType>[])
    for (let i = 0; i < data.length; i++)
      if (data.getValid(i)) exact.push((data.values as ArrayLike<bigint | number>)[i]!);
  if (!exact.every((value) => typeof value === 'bigint' || Number.isFinite(value)))
    throw new UserError({ place: path, found: `column "${name ?? names[0]}" holds no times (${String(type)})` });
  // Nanoseconds since 1970 outgrow a double: the difference is taken before.
  let first = exact[0] ?? 0;
  for (const value of exact) if (value < first) first = value;
  return Float64Array.from(exact, (value) =>
    typeof value === 'bigint' ? Number(value - (first as bigint)) * unit : (value - (first as number)) * unit,
  );
}

/** By Arrow's TimeUnit: s, ms, µs, ns. */
const TIMESTAMP_NS: readonly number[] = [1e9, 1e6, 1e3, 1];

function openAny(path: string): Table {
  try {
    const table = tableFromIPC(readFileSync(path));
    if (table.schema.fields.length > 0) return table;
    throw new Error('it has no columns');
  } catch (error) {
    throw new UserError(
      { place: path, found: `can't be read (${messageOf(error)})`, allowed: 'an Arrow IPC file' },
      { cause: error },
    );
  }
}

const UINT32 = ['sequence', 'query', 'sampleIndex', 'rows', 'batchSize', 'executionId', 'variant'] as const;
const FLOAT64 = [
  'dueNs',
  'issuedNs',
  'sentNs',
  'firstByteNs',
  'completedNs',
  'receiveNs',
  'queueNs',
  'computeInputNs',
  'computeInferNs',
  'computeOutputNs',
  'serialiseNs',
  'serverSeenNs',
  'serverTotalNs',
  'loadNs',
  'preprocessNs',
  'postprocessNs',
  'judgement',
] as const;
/** Left out where no row has a value. */
const RARE: readonly string[] = ['preprocessNs', 'postprocessNs', 'judgement'];
/** Columns that may be missing: older files lack them. */
const LATER: readonly string[] = ['sentNs', 'serverSeenNs', 'serverTotalNs', 'loadNs', 'variant', ...RARE];

type Column = readonly [name: string, data: Data];

function numberColumns(table: RecordTable): Column[] {
  const counts = UINT32.map((name): Column => {
    const data = table[name].subarray(0, table.length);
    return [name, makeData({ type: new Uint32(), length: table.length, data })];
  });
  const filled = FLOAT64.filter((name) => !RARE.includes(name) || hasValue(table[name], table.length));
  const times = filled.map((name): Column => {
    const data = table[name].subarray(0, table.length);
    return [name, makeData({ type: new Float64(), length: table.length, data, ...validity(data, Number.isNaN) })];
  });
  return [...counts, ...times];
}

function hasValue(values: Float64Array, length: number): boolean {
  for (let row = 0; row < length; row++) if (!Number.isNaN(values[row]!)) return true;
  return false;
}

function textColumns(table: RecordTable): Column[] {
  const outcome = Int8Array.from(table.outcome.subarray(0, table.length));
  const error = Int16Array.from(table.error.subarray(0, table.length));
  return [
    ['outcome', textData(outcome, new Int8(), OUTCOMES, 0, {})],
    [
      'error',
      textData(
        error,
        new Int16(),
        table.errorCodes,
        1,
        validity(error, (code) => code === 0),
      ),
    ],
  ];
}

/** Only of a mixed load. */
function tenantColumn(table: RecordTable): Column[] {
  if (table.tenants.length < 2) return [];
  const tenant = Int8Array.from(table.tenant.subarray(0, table.length));
  const nulls = validity(tenant, (number) => number === 0);
  return [['tenant', textData(tenant, new Int8(), table.tenants, 2, nulls)]];
}

/** The place of a text, appended where it is new. */
function indexIn(texts: string[], text: string): number {
  const known = texts.indexOf(text);
  return known >= 0 ? known : texts.push(text) - 1;
}

function textData<Key extends Int8 | Int16>(
  data: Key['TArray'],
  key: Key,
  texts: readonly string[],
  id: number,
  nulls: Validity,
): Data {
  const dictionary = vectorFromArray([...texts], new Utf8());
  return makeData({ type: new Dictionary(new Utf8(), key, id), length: data.length, data, dictionary, ...nulls });
}

function warmUpColumn(table: RecordTable): Column {
  const bits = packed(table.warmUp.subarray(0, table.length), (flag) => flag !== 0);
  return ['warmUp', makeData({ type: new Bool(), length: table.length, data: bits })];
}

function correctColumn(table: RecordTable): Column {
  const data = table.correct.subarray(0, table.length);
  const nulls = validity(data, (value) => value === UNKNOWN);
  return ['correct', makeData({ type: new Int8(), length: table.length, data, ...nulls })];
}

interface Validity {
  readonly nullCount?: number;
  readonly nullBitmap?: Uint8Array;
}

/** Arrow's validity bitmap: a set bit is a value. */
function validity(values: ArrayLike<number>, absent: (value: number) => boolean): Validity {
  let nullCount = 0;
  for (let i = 0; i < values.length; i++) if (absent(values[i]!)) nullCount++;
  return nullCount === 0 ? {} : { nullCount, nullBitmap: packed(values, (value) => !absent(value)) };
}

function packed(values: ArrayLike<number>, isSet: (value: number) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++) if (isSet(values[i]!)) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

function open(path: string): Table {
  try {
    const table = tableFromIPC(readFileSync(path));
    const schema = table.schema.metadata.get('servemark.schema');
    if (schema === String(RECORDS_SCHEMA)) return table;
    throw new Error(`its servemark.schema is ${schema ?? 'absent'}`);
  } catch (error) {
    throw new UserError(
      {
        place: path,
        found: `no readable record file (${messageOf(error)})`,
        allowed: `an Arrow IPC file with servemark.schema ${RECORDS_SCHEMA}`,
      },
      { cause: error },
    );
  }
}

function column(table: Table, name: string) {
  const vector = table.getChild(name);
  if (vector) return vector;
  throw new UserError({ place: name, found: 'the record file has no such column' });
}

/** Copies chunk by chunk; nulls become `absent`. */
function fillNumbers(
  table: Table,
  name: string,
  target: Uint32Array | Float64Array | Int8Array,
  absent = Number.NaN,
): void {
  let at = 0;
  for (const data of column(table, name).data as readonly Data<DataType>[]) {
    target.set(data.values.subarray(0, data.length) as ArrayLike<number>, at);
    if (data.nullCount > 0) for (let i = 0; i < data.length; i++) if (!data.getValid(i)) target[at + i] = absent;
    at += data.length;
  }
}

/** Dictionary columns: each text is looked up once. */
function fillTexts(
  table: Table,
  name: string,
  target: Uint8Array | Uint16Array,
  number: (text: string) => number,
): void {
  let at = 0;
  for (const data of column(table, name).data as readonly Data<Dictionary>[]) {
    const dictionary = data.dictionary;
    const numbers = Array.from({ length: dictionary?.length ?? 0 }, (_, i) => number(String(dictionary?.get(i))));
    for (let i = 0; i < data.length; i++) target[at + i] = data.getValid(i) ? (numbers[data.values[i]!] ?? 0) : 0;
    at += data.length;
  }
}
