import { existsSync, readFileSync } from 'node:fs';
import {
  type Data,
  Dictionary,
  Field,
  Float64,
  Int16,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { messageOf, UserError } from './errors.js';
import { writeFileAtomic } from './files.js';
import { type ReadingKind, Readings, type Series } from './readings.js';

const READINGS_SCHEMA = 1;

/**
 * Writes readings as one Arrow IPC file in long form: `atNs` (since t = 0), `source`, `subject`, `metric`, `unit`, `kind`
 * (`gauge` or `counter`), `value` (null = a gap), `reason` (of a gap). Texts are dictionary columns. Atomic. Throws UserError.
 */
export function writeReadings(path: string, readings: Readings): void {
  const { length, series } = readings;
  const value = readings.value.subarray(0, length);
  const columns = [
    ['atNs', makeData({ type: new Float64(), length, data: readings.atNs.subarray(0, length) })],
    ...TEXTS.map(
      (name, id) =>
        [
          name,
          textColumn(
            readings,
            series.map((each) => each[name]),
            id,
          ),
        ] as const,
    ),
    [
      'value',
      makeData({ type: new Float64(), length, data: value, ...nulls(length, (row) => Number.isNaN(value[row]!)) }),
    ],
    ['reason', reasonColumn(readings)],
  ] as const;
  const fields = columns.map(([name, data]) => new Field(name, data.type, data.nullCount > 0));
  const schema = new Schema(fields, new Map(Object.entries(metadataOf(readings))));
  const struct = makeData({ type: new Struct(fields), length, children: columns.map(([, data]) => data) });
  const bytes = tableToIPC(new Table([new RecordBatch(schema, struct)]), 'file');
  writeFileAtomic(path, bytes, 'the device and process readings of this trial');
}

/** Reads what `writeReadings` wrote; undefined where there is no such file. Throws UserError where it is another's. */
export function readReadings(path: string): Readings | undefined {
  if (!existsSync(path)) return undefined;
  const table = open(path);
  const readings = new Readings();
  const texts = TEXTS.map((name) => decoded(table, name));
  const reason = decoded(table, 'reason');
  const [atNs, value] = ['atNs', 'value'].map((name) => table.getChild(name)!.toArray() as Float64Array);
  const gaps = table.getChild('value')!;
  const holes = gaps.nullCount > 0;
  const known = new Map<number, number>();
  const seriesOf = (row: number): number => {
    // The columns' numbers as one: looking a series up by its texts would be the slow part.
    const key = texts.reduce((sum, { names, numbers }) => sum * names.length + numbers[row]!, 0);
    const found = known.get(key);
    if (found !== undefined) return found;
    const [source, subject, metric, unit, kind] = texts.map(({ names, numbers }) => names[numbers[row]!]!);
    const series = readings.open({ source, subject, metric, unit, kind: kind as ReadingKind } as Series);
    known.set(key, series);
    return series;
  };
  for (let row = 0; row < table.numRows; row++) {
    const absent = holes && gaps.get(row) === null;
    readings.add(seriesOf(row), atNs![row]!, absent ? null : value![row]!, reason.names[reason.numbers[row]!]);
  }
  const { idleFromNs, idleToNs } = Object.fromEntries(table.schema.metadata);
  if (idleFromNs && idleToNs) readings.idle = { fromNs: Number(idleFromNs), toNs: Number(idleToNs) };
  return readings;
}

const TEXTS = ['source', 'subject', 'metric', 'unit', 'kind'] as const;

/** A dictionary column as numbers and their texts; null is the empty text. */
function decoded(table: Table, name: string): { readonly numbers: Uint16Array; readonly names: string[] } {
  const numbers = new Uint16Array(table.numRows);
  const names = [''];
  let at = 0;
  for (const data of (table.getChild(name)?.data ?? []) as readonly Data<Dictionary>[]) {
    const base = names.length;
    for (const text of data.dictionary ?? []) names.push(String(text));
    for (let i = 0; i < data.length; i++) numbers[at + i] = data.getValid(i) ? base + Number(data.values[i]) : 0;
    at += data.length;
  }
  return { numbers, names };
}

function metadataOf({ idle }: Readings): Record<string, string> {
  const schema = { 'servemark.readings.schema': String(READINGS_SCHEMA) };
  return idle ? { ...schema, idleFromNs: String(idle.fromNs), idleToNs: String(idle.toNs) } : schema;
}

function open(path: string): Table {
  let table: Table;
  try {
    table = tableFromIPC(readFileSync(path));
  } catch (error) {
    throw new UserError({ place: path, found: `is no Arrow file: ${messageOf(error)}` }, { cause: error });
  }
  const found = table.schema.metadata.get('servemark.readings.schema');
  if (found === String(READINGS_SCHEMA)) return table;
  throw new UserError({
    place: path,
    found: found === undefined ? 'holds no readings' : `its schema is ${found}`,
    allowed: `schema ${READINGS_SCHEMA}, of this version of servemark`,
  });
}

/** One text a series, looked up row by row. */
function textColumn({ seriesOf, length }: Readings, ofSeries: readonly string[], id: number) {
  const texts = [...new Set(ofSeries)];
  const numbers = ofSeries.map((text) => texts.indexOf(text));
  return dictionary(
    texts,
    id,
    Int16Array.from({ length }, (_, row) => numbers[seriesOf[row]!]!),
  );
}

function reasonColumn({ reasons, reasonOf, length }: Readings) {
  const data = Int16Array.from(reasonOf.subarray(0, length));
  return dictionary(
    reasons,
    TEXTS.length,
    data,
    nulls(length, (row) => data[row] === 0),
  );
}

function dictionary(texts: readonly string[], id: number, data: Int16Array, validity = {}) {
  const type = new Dictionary(new Utf8(), new Int16(), id);
  return makeData({
    type,
    length: data.length,
    data,
    dictionary: vectorFromArray([...texts], new Utf8()),
    ...validity,
  });
}

function nulls(length: number, isNull: (row: number) => boolean): { nullCount?: number; nullBitmap?: Uint8Array } {
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  for (let row = 0; row < length; row++) {
    if (isNull(row)) nullCount++;
    else nullBitmap[row >> 3]! |= 1 << (row & 7);
  }
  return nullCount > 0 ? { nullCount, nullBitmap } : {};
}
