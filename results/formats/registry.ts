import { UserError } from '../errors.js';
import { unknownName } from '../lookup.js';
import type { FormatDefinition } from './contract.js';
import { csv } from './csv.js';
import { html } from './html.js';
import { json } from './json.js';
import { latex } from './latex.js';
import { markdown } from './markdown.js';
import { terminal } from './terminal.js';
import { vega } from './vega.js';

/** Every format of a report. One import and one line per addition. */
export const formats = [
  html, // one self-contained page
  markdown, // text with figures beside it
  terminal, // the short form
  latex, // for papers
  csv, // every number, tidy
  json, // tables and numbers for programs
  vega, // the figures as specifications
] as const satisfies readonly FormatDefinition[];

/** The format of that name, or with that file ending (`md`, `tex`). Throws UserError that lists all names. */
export function formatNamed(name: string, place = 'format'): FormatDefinition {
  const all: readonly FormatDefinition[] = formats;
  const found = all.find((format) => format.name === name) ?? all.find((format) => format.extension === name);
  if (found) return found;
  throw new UserError(unknownName(place, 'format', name, all));
}
