import { lookUp } from '../lookup.js';
import type { FormatDefinition } from './contract.js';
import { html } from './html.js';
import { markdown } from './markdown.js';
import { terminal } from './terminal.js';

/** Every format of a report. One import and one line per addition. */
export const formats = [
  html, // one self-contained page
  markdown, // text with figures beside it
  terminal, // the short form
] as const satisfies readonly FormatDefinition[];

/** The format of that name. Throws UserError that lists all names. */
export function formatNamed(name: string, place = 'format'): FormatDefinition {
  return lookUp<FormatDefinition>(formats, name, 'format', place);
}
