import { escapeXml } from '../../results/formats/escape.js';
import { STYLE } from '../../results/formats/style.js';
import { markdownHtml } from './markdown.js';
import { type Cell, type CodeCell, type Notebook, type Output, sourceOf } from './notebook.js';

/** A notebook as one self-contained page: prose, code and outputs. */
export function notebookHtml(notebook: Notebook, name: string): string {
  const title = /^#\s+(.+)$/m.exec(notebook.cells.map(sourceOf).join('\n'))?.[1] ?? name;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}</title>
<style>${STYLE}${NOTEBOOK_STYLE}</style>
</head>
<body>
<main>
${notebook.cells.map(cellHtml).join('\n')}
</main>
</body>
</html>
`;
}

const NOTEBOOK_STYLE = `
details > summary { color: var(--faint); font-size: .85rem; cursor: pointer; }
details { margin: .75rem 0; }
.output { margin: .5rem 0 1.25rem; overflow-x: auto; }
.output svg { max-width: 100%; height: auto; }
.output pre { border-left: 3px solid var(--accent); border-radius: 0; }
`;

function cellHtml(cell: Cell): string {
  if (cell.cell_type === 'markdown') return markdownHtml(sourceOf(cell));
  return `<details open><summary>cell ${cell.execution_count ?? ''}</summary><pre tabindex="0"><code>${escapeXml(sourceOf(cell))}</code></pre></details>
${outputsHtml(cell)}`;
}

function outputsHtml({ outputs }: CodeCell): string {
  return outputs.map((output) => `<div class="output">${outputHtml(output)}</div>`).join('\n');
}

/** The richest form that a page can show. Outputs come from our own cells, which escape what is foreign. */
function outputHtml(output: Output): string {
  if (output.output_type === 'stream') return `<pre>${escapeXml(output.text.join(''))}</pre>`;
  const text = (type: string): string | undefined => {
    const value = output.data[type];
    if (value === undefined) return undefined;
    return Array.isArray(value) ? value.join('') : String(value);
  };
  return text('image/svg+xml') ?? text('text/html') ?? `<pre>${escapeXml(text('text/plain') ?? '')}</pre>`;
}
