import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../../../results/errors.js';

/**
 * Names of classes by index: a text file with one a line, or JSON: an array, an object by index ("0": …), or one of these
 * under `key`. Throws UserError.
 */
export function readLabels(path: string, key?: string): readonly string[] {
  const text = read(path);
  if (!path.endsWith('.json')) return lines(text);
  try {
    const whole = JSON.parse(text) as unknown;
    const found = key === undefined ? whole : (whole as Readonly<Record<string, unknown>>)[key];
    if (Array.isArray(found)) return found.map(String);
    const named = found as Readonly<Record<string, unknown>>;
    const labels = Array.from({ length: Object.keys(named).length }, (_, index) => named[index]);
    if (labels.length > 0 && !labels.includes(undefined)) return labels.map(String);
    throw new Error(`${key ?? 'it'} is neither an array nor an object by index from 0`);
  } catch (error) {
    throw new UserError({ place: path, found: `holds no names of classes: ${messageOf(error)}` }, { cause: error });
  }
}

/** Of a text file; the end of the last line begins no other. */
export function lines(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** A file's text. Throws UserError. */
export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError({ place: path, found: `can't be read (${messageOf(error)})` }, { cause: error });
  }
}
