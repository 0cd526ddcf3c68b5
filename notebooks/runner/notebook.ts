import { readFileSync } from 'node:fs';
import { UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';

/** The parts of nbformat 4.5 that our notebooks use. */
export interface Notebook {
  readonly nbformat: 4;
  readonly nbformat_minor: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly cells: readonly Cell[];
}

export type Cell = CodeCell | MarkdownCell;

interface BaseCell {
  readonly id: string;
  readonly metadata: { readonly tags?: readonly string[] } & Readonly<Record<string, unknown>>;
  readonly source: string | readonly string[];
}

export interface MarkdownCell extends BaseCell {
  readonly cell_type: 'markdown';
}

export interface CodeCell extends BaseCell {
  readonly cell_type: 'code';
  readonly execution_count: number | null;
  readonly outputs: readonly Output[];
}

export type Output =
  | { readonly output_type: 'stream'; readonly name: 'stdout' | 'stderr'; readonly text: readonly string[] }
  | {
      readonly output_type: 'execute_result';
      readonly execution_count: number;
      readonly data: Readonly<Record<string, unknown>>;
      readonly metadata: Readonly<Record<string, never>>;
    };

/** Throws UserError where it is no notebook of the kind that this runner runs. */
export function readNotebook(path: string): Notebook {
  let value: Notebook;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as Notebook;
  } catch (error) {
    throw new UserError({ place: path, found: `is no notebook: ${String(error)}` });
  }
  const { nbformat, nbformat_minor: minor } = value;
  if (nbformat !== 4 || minor < 5)
    throw new UserError({ place: path, found: `has nbformat ${nbformat}.${minor}`, allowed: '4.5 or a later 4' });
  const ids = value.cells.map((cell) => cell.id);
  if (new Set(ids).size !== ids.length || ids.some((id) => !/^[A-Za-z0-9_-]{1,64}$/.test(id ?? '')))
    throw new UserError({ place: path, found: 'cells share an id, or have none', allowed: 'one id a cell' });
  return value;
}

/** As Jupyter writes it (sorted keys, one blank of indentation), so that saving there changes nothing. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(sorted(notebook), null, 1)}\n`;
}

export function writeNotebook(path: string, notebook: Notebook): void {
  writeFileAtomic(path, notebookText(notebook), 'the notebook’s outputs');
}

export function sourceOf(cell: Cell): string {
  return typeof cell.source === 'string' ? cell.source : cell.source.join('');
}

/** Text as the list of lines that the format wants, each with its line feed. */
export function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
