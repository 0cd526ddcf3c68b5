import type { Block, Cell } from '../views/index.js';
import { renderSvgFile } from './chart.js';
import type { FormatDefinition, Rendered } from './contract.js';
import { escapeControls, escapeMarkdown } from './escape.js';
import { pieces } from './inline.js';

const FIGURES = 'figures';

/** GitHub-flavoured Markdown; charts are SVG files in `figures/` beside it. */
export const markdown: FormatDefinition = {
  name: 'markdown',
  summary: 'GitHub-flavoured Markdown with charts as SVG files beside it',
  extension: 'md',
  views: 'all',
  async render(report): Promise<Rendered> {
    const blocks = report.sections.flatMap((section) => section.blocks);
    const head = [
      `# ${escapeMarkdown(report.title)}`,
      report.facts.map(inline).join(' · '),
      ...report.notices.map((text) => `> **⚠ ${inline(text)}**`),
    ];
    const text = [...head, ...blocks.map(renderBlock)].filter((part) => part !== '').join('\n\n');
    return { text: `${text}\n`, files: await figures(blocks) };
  },
};

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `## ${inline(block.text)}`;
    case 'text':
      return inline(block.text);
    case 'list':
      return block.items.map((item) => `- ${inline(item)}`).join('\n');
    case 'code':
      return fenced(block.text);
    case 'table':
      return table(block);
    case 'chart':
      return `![${escapeMarkdown(block.caption)}](${FIGURES}/${block.name}.svg)\n\n${escapeMarkdown(block.caption)}`;
  }
}

function table(block: Extract<Block, { kind: 'table' }>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    line(block.columns.map((column) => escapeMarkdown(column.title))),
    line(block.columns.map((column) => (column.align === 'right' ? '---:' : '---'))),
    ...block.rows.map((row) => line(row.map(cellText))),
  ];
  return [...(block.caption ? [`**${escapeMarkdown(block.caption)}**`, ''] : []), ...lines].join('\n');
}

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return inline(cell);
  return cell.mark === 'good' ? `**${inline(cell.text)}**` : inline(cell.text);
}

function inline(text: string): string {
  return pieces(text)
    .map((piece) => {
      // Nothing is markup in a code span, but a bar would end the table's cell.
      if (piece.kind === 'code')
        return `\`${escapeControls(piece.text).replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')}\``;
      return piece.kind === 'bold' ? `**${escapeMarkdown(piece.text)}**` : escapeMarkdown(piece.text);
    })
    .join('');
}

/** A fence longer than any run of backticks inside. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${escapeControls(text)}\n${fence}`;
}

async function figures(blocks: readonly Block[]): Promise<Rendered['files']> {
  const files: { path: string; content: string }[] = [];
  for (const block of blocks) {
    if (block.kind !== 'chart') continue;
    files.push({ path: `${FIGURES}/${block.name}.svg`, content: await renderSvgFile(block.spec, block.caption) });
  }
  return files;
}
