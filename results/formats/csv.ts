import { MEASUREMENT_COLUMNS } from '../measurements.js';
import type { FormatDefinition, Rendered } from './contract.js';

/** Tidy: one row a number, with its trial, unit, interval and, where there is no number, the reason (RFC 4180). */
export const csv: FormatDefinition = {
  name: 'csv',
  summary: 'Every number of every trial as one tidy table, for spreadsheets and statistics programs',
  extension: 'csv',
  views: [],
  render({ measurements = [] }): Promise<Rendered> {
    const rows = measurements.map((row) => MEASUREMENT_COLUMNS.map((column) => field(row[column])).join(','));
    return Promise.resolve({ text: `${[MEASUREMENT_COLUMNS.join(','), ...rows].join('\r\n')}\r\n`, files: [] });
  },
};

/** Null is an empty field. */
function field(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
