import type { Block, Cell } from '../views/index.js';

export type Table = Extract<Block, { kind: 'table' }>;

/** The widest text of each column, its title included. */
export function columnWidths(table: Table, textOf: (cell: Cell) => string): number[] {
  return table.columns.map(({ title }, i) =>
    Math.max(title.length, ...table.rows.map((row) => textOf(row[i]!).length)),
  );
}

/** Two spaces between columns. */
export function fits(widths: readonly number[], width: number): boolean {
  return widths.reduce((sum, each) => sum + each + 2, -2) <= width;
}

/** Tables that fit: each has the first column and as many of the others as there is room for, at least one. */
export function splitColumns(table: Table, width: number, textOf: (cell: Cell) => string): Table[] {
  const widths = columnWidths(table, textOf);
  const parts: number[][] = [];
  for (let column = 1; column < widths.length; column++) {
    const last = parts.at(-1);
    if (
      last &&
      fits(
        [0, ...last, column].map((i) => widths[i]!),
        width,
      )
    )
      last.push(column);
    else parts.push([column]);
  }
  if (parts.length === 0) return [table];
  return parts.map((others) => {
    const kept = [0, ...others];
    return {
      ...table,
      columns: kept.map((i) => table.columns[i]!),
      rows: table.rows.map((row) => kept.map((i) => row[i]!)),
    };
  });
}

export function padded(text: string, width: number, align: 'left' | 'right'): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}

/** Lines of at most `width` characters, broken at spaces; a longer word is cut. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((each) => chunks(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

export function indented(text: string, width: number, indent: string): string[] {
  return wrapped(text, width - indent.length).map((line) => indent + line);
}

function chunks(word: string, width: number): string[] {
  const found: string[] = [];
  for (let at = 0; at < word.length; at += width) found.push(word.slice(at, at + width));
  return found;
}
