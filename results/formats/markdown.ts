import type { Block, Cell } from '../views/index.js';
import { renderSvgFile } from './chart.js';
import type { FormatDefinition, Rendered } from './contract.js';
import { escapeControls, escapeMarkdown } from './escape.js';
import { pieces } from './inline.js';

const FIGURES = 'figures';

/** GitHub-flavoured Markdown; charts are SVG files in `figures/` beside it, figures in tables link to their trials' folders. */
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
    const links = new TrialLinks(report.trialPath ?? ((id) => `trials/${id}`));
    const body = blocks.map((block) => renderBlock(block, links));
    const text = [...head, ...body, links.definitions()].filter((part) => part !== '').join('\n\n');
    return { text: `${text}\n`, files: await figures(blocks) };
  },
};

function renderBlock(block: Block, links: TrialLinks): string {
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
      return table(block, links);
    case 'chart':
      return `![${escapeMarkdown(block.caption)}](${FIGURES}/${block.name}.svg)\n\n${escapeMarkdown(block.caption)}`;
  }
}

function table(block: Extract<Block, { kind: 'table' }>, links: TrialLinks): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    line(block.columns.map((column) => escapeMarkdown(column.title))),
    line(block.columns.map((column) => (column.align === 'right' ? '---:' : '---'))),
    ...block.rows.map((row) => line(row.map((cell, at) => cellText(cell, at === 0 ? undefined : links)))),
  ];
  return [...(block.caption ? [`**${escapeMarkdown(block.caption)}**`, ''] : []), ...lines].join('\n');
}

function cellText(cell: Cell, links: TrialLinks | undefined): string {
  if (typeof cell === 'string') return inline(cell);
  const text = cell.mark === 'good' ? `**${inline(cell.text)}**` : inline(cell.text);
  return links && cell.trials?.length ? `[${text}][${links.labelFor(cell.trials)}]` : text;
}

/** Links by reference, so that the tables stay readable as text: `[2.41 ms][t3]`, and `[t3]: trials/…` at the end. */
class TrialLinks {
  readonly #labels = new Map<string, string>();
  readonly #lines: string[] = [];

  constructor(private readonly pathOf: (trialId: string) => string) {}

  /** To the folder of the first of the trials; the title names all. */
  labelFor(trials: readonly string[]): string {
    const key = trials.map((id) => escapeControls(id).replaceAll(/["<>\\\s]+/g, '-')).join(', ');
    const known = this.#labels.get(key);
    if (known !== undefined) return known;
    const label = `t${this.#labels.size + 1}`;
    this.#labels.set(key, label);
    const path = this.pathOf(trials[0]!).replaceAll(/[<>\r\n]/g, '-');
    this.#lines.push(`[${label}]: <${path}> "${key}"`);
    return label;
  }

  definitions(): string {
    return this.#lines.join('\n');
  }
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
