import pc from 'picocolors';
import type { Block, Cell } from '../views/index.js';
import { groupBy } from '../views/support/group-by.js';
import { columnWidths, fits, indented, padded, splitColumns, type Table, wrapped } from './columns.js';
import type { FormatDefinition, Rendered } from './contract.js';
import { escapeControls } from './escape.js';
import { pieces, plain } from './inline.js';

type Colours = ReturnType<typeof pc.createColors>;

/** The short form: the answer, systems × loads, the findings. Fits the width it is given. */
export const terminal: FormatDefinition = {
  name: 'terminal',
  summary: 'The answer, systems × loads and findings as text for a terminal',
  extension: 'txt',
  views: ['decision', 'league', 'headline', 'tuning', 'overview', 'findings'],
  render(report, { colour = false, width: asked = 100 }): Promise<Rendered> {
    const width = Math.max(NARROWEST, asked);
    const colours = pc.createColors(colour);
    const blocks = report.sections.flatMap((section) => section.blocks);
    const head = [
      colours.bold(wrapped(escapeControls(report.title), width).join('\n')),
      colours.dim(wrapped(escapeControls(report.facts.map(plain).join(' · ')), width).join('\n')),
      ...report.notices.map((notice) => colours.red(wrapped(`⚠ ${escapeControls(plain(notice))}`, width).join('\n'))),
    ];
    const body = blocks.map((block) => renderBlock(block, width, colours)).filter((text) => text !== '');
    return Promise.resolve({ text: `${[...head, ...body].join('\n\n')}\n`, files: [] });
  },
};

/** Below this a table's first column has no room for the second; such a terminal wraps by itself. */
const NARROWEST = 40;

function renderBlock(block: Block, width: number, colours: Colours): string {
  switch (block.kind) {
    case 'heading':
      return colours.bold(colours.underline(escapeControls(plain(block.text))));
    case 'text':
      return emphasised(block.text, width, '', colours);
    case 'list':
      return block.items.map((item) => emphasised(item, width, '  ', colours, '• ')).join('\n');
    case 'code':
      return escapeControls(block.text);
    case 'table':
      return table(block, width, colours);
    case 'chart':
      return '';
  }
}

/** Columns that do not fit beside each other go into further tables; rows of long texts become paragraphs. */
function table(block: Table, width: number, colours: Colours): string {
  const caption = block.caption ? [colours.bold(escapeControls(block.caption))] : [];
  if (hasProse(block) && !fits(columnWidths(block, shortText), width))
    return [...caption, ...folded(block.rows).map((row) => paragraph(row, width, colours))].join('\n');
  const parts = splitColumns(block, width, shortText).map((part) => grid(part, colours));
  return [...caption, parts.join('\n\n')].join('\n');
}

function grid(part: Table, colours: Colours): string {
  const widths = columnWidths(part, shortText);
  const title = part.columns.map(({ title: text, align }, i) =>
    colours.dim(padded(escapeControls(text), widths[i]!, align)),
  );
  const rows = part.rows.map((row) =>
    row
      .map((cell, i) => paint(padded(shortText(cell), widths[i]!, part.columns[i]!.align), markOf(cell), colours))
      .join('  ')
      .trimEnd(),
  );
  return [title.join('  ').trimEnd(), ...rows].join('\n');
}

/** Rows of long texts that begin alike are told once, with their number: the reports in files have them all. */
function folded(rows: readonly (readonly Cell[])[]): (readonly Cell[])[] {
  return [...groupBy(rows, ([first]) => (first === undefined ? '' : shortText(first))).values()].map((alike) => {
    const [first, second, ...rest] = alike[0]!;
    if (alike.length === 1 || first === undefined || second === undefined) return alike[0]!;
    const more = `${shortText(second)} and ${alike.length - 1} more`;
    return [first, typeof second === 'string' ? more : { ...second, text: more, short: more }, ...rest];
  });
}

/** First cells on one line, long ones indented below it. */
function paragraph(row: readonly Cell[], width: number, colours: Colours): string {
  const texts = row.map((cell) => ({ text: shortText(cell), mark: markOf(cell) }));
  const short = texts.filter(({ text }) => text.length <= PROSE);
  const long = texts.filter(({ text }) => text.length > PROSE);
  const length = short.reduce((sum, { text }) => sum + text.length + 2, 0);
  const first = short.map(({ text, mark }) => paint(text, mark, colours)).join(length <= width ? '  ' : '\n    ');
  return [`  ${first}`, ...long.flatMap(({ text }) => indented(text, width, '    '))].join('\n');
}

const PROSE = 44;

function hasProse(block: Table): boolean {
  return block.rows.some((row) => row.some((cell) => shortText(cell).length > PROSE));
}

function shortText(cell: Cell): string {
  const text = typeof cell === 'string' ? cell : (cell.short ?? cell.text);
  return escapeControls(plain(text)).replaceAll(/\s+/g, ' ');
}

function markOf(cell: Cell): 'good' | 'bad' | 'dim' | undefined {
  return typeof cell === 'string' ? undefined : cell.mark;
}

function paint(text: string, mark: 'good' | 'bad' | 'dim' | undefined, colours: Colours): string {
  if (mark === 'good') return colours.green(text);
  if (mark === 'bad') return colours.red(text);
  return mark === 'dim' ? colours.dim(text) : text;
}

/** Wraps first, by visible width, then colours what was bold. */
function emphasised(text: string, width: number, indent: string, colours: Colours, bullet = ''): string {
  const hanging = indent + ' '.repeat(bullet.length);
  const lines = wrapped(escapeControls(plain(text)), width - hanging.length);
  const joined = lines.map((line, i) => (i === 0 ? indent + bullet : hanging) + line).join('\n');
  const bold = new Set(pieces(text).flatMap((piece) => (piece.kind === 'bold' ? [escapeControls(piece.text)] : [])));
  return [...bold].reduce((result, word) => result.replace(word, () => colours.bold(word)), joined);
}
