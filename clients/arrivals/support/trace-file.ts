import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { readArrowTimes } from '../../../results/arrow.js';
import { messageOf, type Problem, UserError } from '../../../results/errors.js';

/** ns of each unit that a trace's numbers may have. */
export const TRACE_UNITS = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 } as const;

/**
 * The instants of a trace file in ns from its earliest, ascending. A line an arrival: JSON objects (`.jsonl`, `.ndjson`) or
 * comma-separated values, with or without names in the first line; or an Arrow IPC file (`.arrow`, `.feather`). A time is a number or a date (`2023-11-16
 * 18:17:03.9799600`, UTC unless it says). `column` names it; default: the first. Throws UserError with every line at fault.
 */
export function readTrace(path: string, unit: keyof typeof TRACE_UNITS, column: string | undefined): Float64Array {
  if (/^\.(arrow|feather|ipc)$/i.test(extname(path)))
    return fromEarliestNs(readArrowTimes(path, column, TRACE_UNITS[unit]), path);
  const lines = textOf(path).split(/\r?\n/);
  const isJson = /^\.(jsonl|ndjson)$/i.test(extname(path));
  const cells = isJson ? jsonCells(lines, column) : csvCells(lines, column, path);
  const problems: Problem[] = [];
  const times: Time[] = [];
  for (const { line, text } of cells) {
    const time = timeOf(text, TRACE_UNITS[unit]);
    if (time) times.push(time);
    else if (problems.length < 20)
      problems.push({
        place: `${path}:${line}`,
        found: `"${text}" is no time`,
        allowed: 'a number, or a date like 2023-11-16T18:17:03.98Z',
      });
  }
  if (problems.length > 0) throw new UserError(problems);
  return fromEarliest(times, path);
}

/** In two parts: nanoseconds since 1970 outgrow a double. */
interface Time {
  readonly ms: number;
  readonly ns: number;
}

interface Cell {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError({
      place: path,
      found: `can't be read (${messageOf(error)})`,
      allowed: 'a .csv, .jsonl or .arrow file of times',
    });
  }
}

function jsonCells(lines: readonly string[], column: string | undefined): Cell[] {
  return lines.flatMap((text, index): Cell[] => {
    if (text.trim() === '') return [];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return [{ line: index + 1, text }];
    }
    if (typeof value === 'object' && value !== null)
      value = column === undefined ? Object.values(value)[0] : (value as Record<string, unknown>)[column];
    return [{ line: index + 1, text: String(value) }];
  });
}

function csvCells(lines: readonly string[], column: string | undefined, path: string): Cell[] {
  const rows = lines.map((text) => text.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')));
  const names = rows[0] ?? [];
  const hasNames = timeOf(names[0] ?? '', 1) === undefined;
  const at = column === undefined ? 0 : names.indexOf(column);
  if (at < 0)
    throw new UserError({ place: `${path}:1`, found: `there is no column "${column}"`, allowed: names.join(', ') });
  return rows.flatMap((row, index): Cell[] =>
    (index === 0 && hasNames) || lines[index]!.trim() === '' ? [] : [{ line: index + 1, text: row[at] ?? '' }],
  );
}

const DATE = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?$/;

function timeOf(text: string, unitNs: number): Time | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const ns = Number(text) * unitNs;
    return Number.isFinite(ns) ? { ms: 0, ns } : undefined;
  }
  const date = DATE.exec(text);
  if (!date) return undefined;
  const ms = Date.parse(`${date[1]}T${date[2]}${date[4] ?? 'Z'}`);
  return Number.isNaN(ms) ? undefined : { ms, ns: Number(date[3] ?? 0) * 1e9 };
}

function fromEarliest(times: readonly Time[], path: string): Float64Array {
  const first = times.reduce((a, b) => (after(a, b) > 0 ? b : a), times[0] ?? { ms: 0, ns: 0 });
  return fromEarliestNs(
    Float64Array.from(times, (time) => after(time, first)),
    path,
  );
}

function fromEarliestNs(times: Float64Array, path: string): Float64Array {
  const sorted = times.sort();
  if (sorted.length >= 2 && sorted.at(-1)! > 0) return sorted;
  throw new UserError({
    place: path,
    found: `holds ${sorted.length} instants`,
    allowed: 'two different times or more',
  });
}

/** ns from b to a. */
function after(a: Time, b: Time): number {
  return (a.ms - b.ms) * 1e6 + (a.ns - b.ns);
}
