import type { Block, Cell } from '../views/index.js';
import { renderSvgFile } from './chart.js';
import type { FormatDefinition, Rendered, Report, Section } from './contract.js';
import { escapeControls } from './escape.js';
import { escapeLatex } from './escape-latex.js';
import { pieces } from './inline.js';
import { toPng } from './png.js';

/**
 * A document whose tables (booktabs, longtable) and figures can be taken into a paper one by one: each has a label. Figures
 * are PNG where `@resvg/resvg-js` is installed, and SVG files otherwise; `\servemarkfigure` is the one line to change for PDF.
 */
export const latex: FormatDefinition = {
  name: 'latex',
  summary: 'A LaTeX document with booktabs tables and included figures, for papers',
  extension: 'tex',
  views: 'all',
  async render(report): Promise<Rendered> {
    const charts = report.sections.flatMap(({ blocks }) => blocks.filter((block) => block.kind === 'chart'));
    const files: { path: string; content: string | Uint8Array }[] = [];
    let bitmaps = true;
    for (const { name, caption, spec } of charts) {
      const svg = await renderSvgFile(spec, caption);
      const png = await toPng(svg);
      bitmaps &&= png !== undefined;
      files.push({ path: `${figurePath(name)}.svg`, content: svg });
      if (png) files.push({ path: `${figurePath(name)}.png`, content: png });
    }
    return { text: document(report, bitmaps), files };
  },
};

type Chart = Extract<Block, { kind: 'chart' }>;
type Table = Extract<Block, { kind: 'table' }>;

/** Without a dot: LaTeX takes what follows the first one for the ending. */
function figurePath(name: string): string {
  return `figures/${name.replaceAll('.', '+')}`;
}

function document(report: Report, bitmaps: boolean): string {
  const include = bitmaps ? '\\includegraphics[width=.8\\linewidth]{#1}' : '\\includesvg[width=.8\\linewidth]{#1}';
  const head = [
    '% Written by servemark. Tables need booktabs, longtable and array; each has a label, as each figure has.',
    '\\documentclass{article}',
    '\\usepackage[T1]{fontenc}',
    '\\usepackage[utf8]{inputenc}',
    '\\usepackage{textcomp}',
    '\\usepackage{array,booktabs,longtable,graphicx}',
    ...(bitmaps ? [] : ['\\usepackage{svg} % figures are SVG: run with --shell-escape, Inkscape installed']),
    '\\usepackage[margin=2cm]{geometry}',
    `\\newcommand{\\servemarkfigure}[1]{${include}}`,
    `\\title{${escapeLatex(report.title)}}`,
    `\\author{${report.facts.map(inline).join(' \\and ')}}`,
    '\\date{}',
    '\\begin{document}',
    '\\maketitle',
    ...report.notices.map((notice) => `\\noindent\\textbf{! ${inline(notice)}}`),
  ];
  return `${[...head, ...report.sections.map(section), '\\end{document}'].join('\n')}\n`;
}

function section({ name, blocks }: Section): string {
  return blocks.map((block, at) => renderBlock(block, labelOf(name), at)).join('\n');
}

/** `at`: position in its section; makes labels of tables differ. */
function renderBlock(block: Block, section: string, at: number): string {
  switch (block.kind) {
    case 'heading':
      return `\\section{${inline(block.text)}}\\label{sec:${section}}`;
    case 'text':
      return `\n${inline(block.text)}\n`;
    case 'list':
      return ['\\begin{itemize}', ...block.items.map((item) => `  \\item ${inline(item)}`), '\\end{itemize}'].join(
        '\n',
      );
    case 'code':
      return verbatim(block.text);
    case 'table':
      return table(block, `${section}-${at}`);
    case 'chart':
      return figure(block);
  }
}

/**
 * A `longtable`, for tables may be longer than a page; or, where it is wider than one, scaled to the width of the line, in pieces
 * that fit a page. The trials of a row stand in a comment before it.
 */
function table({ caption, columns, rows }: Table, label: string): string {
  const long = columns.map((_, at) => rows.some((row) => textOf(row[at]!).length > LONG));
  const room = (
    0.9 / Math.max(1, long.filter(Boolean).length + (long.length - long.filter(Boolean).length) / 4)
  ).toFixed(2);
  const spec = columns.map(({ align }, at) =>
    long[at] ? `>{\\raggedright\\arraybackslash}p{${room}\\linewidth}` : align[0],
  );
  const line = (cells: readonly string[]) => `${cells.join(' & ')} \\\\`;
  const title = line(columns.map((column) => escapeLatex(column.title)));
  const layout = `@{}${spec.join('')}@{}`;
  const body = (some: typeof rows) => some.flatMap((row) => [...trialComment(row), line(row.map(cell))]);
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => Math.min(LONG, textOf(row[at]!).length))),
  );
  if (widths.reduce((sum, width) => sum + width + BETWEEN, 0) > WIDEST)
    return piecesOf(rows)
      .map((some, at) => scaled(some, at))
      .join('\n');
  return [
    `\\begin{longtable}{${layout}}`,
    ...(caption ? [`\\caption{${escapeLatex(caption)}}\\label{tab:${label}}\\\\`] : []),
    '\\toprule',
    title,
    '\\midrule',
    '\\endhead',
    '\\bottomrule',
    '\\endlastfoot',
    ...body(rows),
    '\\end{longtable}',
  ].join('\n');

  function scaled(some: typeof rows, at: number): string {
    const words = at === 0 ? caption : `${caption ?? ''} (continued)`;
    const mark = at === 0 ? label : `${label}-${at}`;
    return [
      '\\begin{table}[!htbp]',
      '  \\centering',
      ...(words ? [`  \\caption{${escapeLatex(words)}}\\label{tab:${mark}}`] : []),
      `  \\resizebox{\\linewidth}{!}{\\begin{tabular}{${layout}}`,
      ...['\\toprule', title, '\\midrule', ...body(some), '\\bottomrule'],
      '\\end{tabular}}',
      '\\end{table}',
    ].join('\n');
  }
}

/** Characters that a line of the page holds, and those that stand for the gap between columns. */
const WIDEST = 95;
const BETWEEN = 2;
/** Rows of a table that is no `longtable`. */
const MOST_ROWS = 40;

function piecesOf<Row>(rows: readonly Row[]): (readonly Row[])[] {
  const count = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
  return Array.from({ length: count }, (_, at) => rows.slice(at * MOST_ROWS, (at + 1) * MOST_ROWS));
}

const LONG = 40;

function trialComment(row: readonly Cell[]): string[] {
  const ids = row.flatMap((each) => (typeof each === 'string' ? [] : (each.trials ?? [])));
  return ids.length === 0 ? [] : [`% trials: ${[...new Set(ids)].map(singleLine).join(' ')}`];
}

function cell(each: Cell): string {
  const text = inline(textOf(each));
  const mark = typeof each === 'string' ? undefined : each.mark;
  return mark === 'good' ? `\\textbf{${text}}` : text;
}

function textOf(each: Cell): string {
  return typeof each === 'string' ? each : each.text;
}

function figure({ name, caption }: Chart): string {
  return [
    '\\begin{figure}[htbp]',
    '  \\centering',
    `  \\servemarkfigure{${figurePath(name)}}`,
    `  \\caption{${escapeLatex(caption)}}\\label{fig:${labelOf(name)}}`,
    '\\end{figure}',
  ].join('\n');
}

/** The text may hold the line that would end it: then each of its lines is set as typewriter text. */
function verbatim(text: string): string {
  const clean = escapeControls(text);
  if (!clean.includes('\\end{verbatim}')) return `\\begin{verbatim}\n${clean}\n\\end{verbatim}`;
  return clean
    .split('\n')
    .map((line) => `\\noindent\\texttt{${escapeLatex(line)}}\\\\`)
    .join('\n');
}

const COMMANDS = { code: '\\texttt', bold: '\\textbf' } as const;

function inline(text: string): string {
  return pieces(text)
    .map((piece) => {
      const content = escapeLatex(piece.text);
      return piece.kind === 'plain' ? content : `${COMMANDS[piece.kind]}{${content}}`;
    })
    .join('');
}

function labelOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/g, '-');
}

function singleLine(text: string): string {
  return escapeControls(text).replaceAll(/\s+/g, '-');
}
