import type { Block, Cell } from '../views/index.js';
import { renderSvg } from './chart.js';
import type { FormatDefinition, Rendered, Report, Section } from './contract.js';
import { escapeXml } from './escape.js';
import { pieces, plain } from './inline.js';
import { STYLE } from './style.js';

/** One self-contained page: inline SVG, inline style, no script, nothing fetched. */
export const html: FormatDefinition = {
  name: 'html',
  summary: 'One self-contained page with inline charts, for light and dark, desk and phone',
  extension: 'html',
  views: 'all',
  async render(report): Promise<Rendered> {
    const sections: string[] = [];
    for (const section of report.sections) sections.push(await renderSection(section));
    return { text: page(report, sections), files: [] };
  },
};

function page(report: Report, sections: readonly string[]): string {
  const title = escapeXml(report.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="facts">${report.facts.map((fact) => `<span>${inline(fact)}</span>`).join(' ')}</p>
${report.notices.map((notice) => `<p class="notice" role="note">⚠ ${inline(notice)}</p>\n`).join('')}${contents(report)}
</header>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

/** Links to the sections, for those who came for one of them. */
function contents(report: Report): string {
  const links = report.sections.map((section) => {
    const heading = section.blocks.find((block) => block.kind === 'heading');
    return `<a href="#${escapeXml(section.name)}">${escapeXml(plain(heading?.text ?? section.name))}</a>`;
  });
  return `<nav aria-label="Sections">${links.join('\n')}</nav>`;
}

async function renderSection({ name, blocks }: Section): Promise<string> {
  const parts: string[] = [];
  for (const group of chartRuns(blocks)) parts.push(await renderGroup(group));
  return `<section id="${escapeXml(name)}">\n${parts.join('\n')}\n</section>`;
}

type Chart = Extract<Block, { kind: 'chart' }>;
type Table = Extract<Block, { kind: 'table' }>;

/** Neighbouring charts stand side by side where there is room. */
function chartRuns(blocks: readonly Block[]): (Exclude<Block, Chart> | Chart[])[] {
  const runs: (Exclude<Block, Chart> | Chart[])[] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (block.kind !== 'chart') runs.push(block);
    else if (Array.isArray(last)) last.push(block);
    else runs.push([block]);
  }
  return runs;
}

async function renderGroup(group: Exclude<Block, Chart> | readonly Chart[]): Promise<string> {
  if (!isCharts(group)) return renderBlock(group);
  const figures: string[] = [];
  for (const { caption, spec } of group) {
    const svg = await renderSvg(spec, caption);
    figures.push(`<figure class="chart">${svg}<figcaption>${escapeXml(caption)}</figcaption></figure>`);
  }
  return `<div class="charts">\n${figures.join('\n')}\n</div>`;
}

function isCharts(group: Exclude<Block, Chart> | readonly Chart[]): group is readonly Chart[] {
  return Array.isArray(group);
}

function renderBlock(block: Exclude<Block, Chart>): string {
  switch (block.kind) {
    case 'heading':
      return `<h2>${inline(block.text)}</h2>`;
    case 'text':
      return `<p>${inline(block.text)}</p>`;
    case 'list':
      return `<ul>\n${block.items.map((item) => `<li>${inline(item)}</li>`).join('\n')}\n</ul>`;
    case 'code':
      return `<pre tabindex="0"><code>${escapeXml(block.text)}</code></pre>`;
    case 'table':
      return table(block);
  }
}

/** Wide tables scroll inside their box, which the keyboard can reach; the first column stays in sight. */
function table({ caption, columns, rows }: Table): string {
  const head = columns.map(({ title, align }) => `<th scope="col" class="${align}">${escapeXml(title)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = row.map((cell, at) => tableCell(cell, columns[at]?.align ?? 'left', at === 0));
    return `<tr>${cells.join('')}</tr>`;
  });
  const label = caption ? ` aria-label="${escapeXml(caption)}"` : '';
  return `<div class="scroll" role="region" tabindex="0"${label}><table>${caption ? `<caption>${escapeXml(caption)}</caption>` : ''}
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div>`;
}

function tableCell(cell: Cell, align: 'left' | 'right', first: boolean): string {
  const { text, mark, trials, anchor }: Exclude<Cell, string> = typeof cell === 'string' ? { text: cell } : cell;
  const long = align === 'left' && !first && text.length > 40 ? ' long' : '';
  const attributes = `class="${align}${mark ? ` ${mark}` : ''}${long}"${trials?.length ? ` title="${escapeXml(trials.join(', '))}"` : ''}`;
  if (first) return `<th scope="row"${anchor ? ` id="${anchorOf(anchor)}"` : ''} ${attributes}>${inline(text)}</th>`;
  // Out of the way of the Tab key: a table has hundreds of them, and the list of trials is reached by its own link.
  const target = trials?.length ? `<a href="#${anchorOf(trials[0]!)}" tabindex="-1">${inline(text)}</a>` : inline(text);
  return `<td ${attributes}>${target}</td>`;
}

function anchorOf(trial: string): string {
  return `trial-${escapeXml(trial.replaceAll(/\s+/g, '-'))}`;
}

const TAGS = { code: 'code', bold: 'strong' } as const;

function inline(text: string): string {
  return pieces(text)
    .map((piece) => {
      const content = escapeXml(piece.text);
      return piece.kind === 'plain' ? content : `<${TAGS[piece.kind]}>${content}</${TAGS[piece.kind]}>`;
    })
    .join('');
}
