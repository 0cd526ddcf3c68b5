import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../notebooks/runner/execute.js';
import { notebookHtml } from '../../notebooks/runner/export.js';
import { markdownHtml } from '../../notebooks/runner/markdown.js';
import { type CodeCell, type Notebook, notebookText, readNotebook, sourceOf } from '../../notebooks/runner/notebook.js';
import type { CellError } from '../../notebooks/runner/program.js';

/** `dist/results`, compiled by the global set-up. */
const RESULTS = pathToFileURL(`${fileURLToPath(new URL('../../dist/results', import.meta.url))}/`);
const FOLDER = 'notebooks';
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ipynb'));

function notebook(...sources: string[]): Notebook {
  const cells = sources.map((source, at) => ({
    ...{ cell_type: 'code', id: `c${at}`, metadata: {}, source, execution_count: null, outputs: [] },
  })) as CodeCell[];
  return { nbformat: 4, nbformat_minor: 5, metadata: {}, cells };
}

async function outputs(...sources: string[]) {
  const { cells } = await execute(notebook(...sources), RESULTS);
  return cells.map((cell) => (cell as CodeCell).outputs);
}

/** What was shown and printed, whichever way the lines are cut and the keys sorted. */
function shown(cell: Notebook['cells'][number]): unknown {
  if (cell.cell_type !== 'code') return undefined;
  return cell.outputs.map((output) => {
    if (output.output_type === 'stream') return output.text.join('');
    return new Map(
      Object.entries(output.data).map(([type, value]) => [type, Array.isArray(value) ? value.join('') : value]),
    );
  });
}

describe('the runner', () => {
  it('runs cells in order in one context: names live on, the last expression is shown, prints stand in their cell', async () => {
    const [first, second, third] = await outputs(
      'const a: number = 20;\nfunction twice(n: number) { return 2 * n; }',
      'console.log("a is", a);\ntwice(a)',
      'const b = await Promise.resolve(twice(a) + 2); // shows nothing',
    );
    expect(first).toEqual([]);
    expect(second).toEqual([
      { output_type: 'stream', name: 'stdout', text: ['a is 20\n'] },
      { output_type: 'execute_result', execution_count: 2, data: { 'text/plain': ['40'] }, metadata: {} },
    ]);
    expect(third).toEqual([]);
  });

  it('shows JSON, text, and what says its own forms', async () => {
    const [json, own, table] = await outputs(
      '({ a: 1 })',
      "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>x</b>\\n<i>y</i>' }) })",
      "import { table } from '../dist/results/notebook.js';\ntable(['name', 'n'], [['<a>', 12]])",
    );
    expect(json).toMatchObject([{ data: { 'application/json': { a: 1 } } }]);
    expect(own).toMatchObject([{ data: { 'text/html': ['<b>x</b>\n', '<i>y</i>'] } }]);
    expect(JSON.stringify(table)).toContain('&lt;a&gt;');
  });

  it('names the cell that failed, and why', async () => {
    const failure = (...sources: string[]) => outputs(...sources).catch((error: unknown) => error as CellError);
    expect(await failure('1', 'const x = 1;', 'throw new Error("no run")')).toMatchObject({
      cell: 3,
      message: 'Error: no run',
    });
    expect(await failure('1', 'const = 2')).toMatchObject({ name: 'CellError', cell: 2 });
    expect(await failure('const x = 1', 'const x = 2')).toMatchObject({
      cell: 2,
      message: expect.stringContaining('cell 1'),
    });
    expect(await failure("import { gone } from '../dist/results/units.js'")).toMatchObject({
      cell: 1,
      message: expect.stringContaining('has no "gone"'),
    });
    expect(await failure("import { main } from '../dist/scenarios/cli.js'")).toMatchObject({
      message: expect.stringContaining('notebooks import from ../dist/results/ and node: only'),
    });
  });

  it('leaves console.log as it was, also after a failure', async () => {
    const { log } = console;
    await outputs('console.log(1); throw new Error("x")').catch(() => {});
    expect(console.log).toBe(log);
  });
});

describe('the page of a notebook', () => {
  it('renders prose, escapes code and printed text, and keeps figures', async () => {
    const prose = {
      cell_type: 'markdown',
      id: 'm',
      metadata: {},
      source: '# A & B\n\nSome `a < b` and **bold** [link](./x.ipynb).',
    } as const;
    const run = await execute(notebook('console.log("<script>")'), RESULTS);
    const page = notebookHtml({ ...run, cells: [prose, ...run.cells] }, 'x');
    expect(page).toContain('<title>A &amp; B</title>');
    expect(page).toContain('<code>a &lt; b</code> and <strong>bold</strong> <a href="./x.ipynb">link</a>');
    expect(page).not.toContain('<script>');
    expect(markdownHtml('- one\n- two')).toBe('<ul>\n<li>one</li>\n<li>two</li>\n</ul>');
    expect(markdownHtml('```sh\na\n\nb\n```')).toBe('<pre tabindex="0"><code>a\n\nb</code></pre>');
    expect(markdownHtml('[x](javascript:alert)')).not.toContain('<a');
  });
});

describe.each(names)('%s', (name) => {
  const path = join(FOLDER, name);
  const stored = readNotebook(path);
  let fresh: Notebook;
  beforeAll(async () => {
    fresh = await execute(stored, RESULTS);
  });

  it('is written as Jupyter writes it, with a kernel and a title', () => {
    expect(readFileSync(path, 'utf8')).toBe(notebookText(stored));
    expect(stored.metadata).toMatchObject({
      kernelspec: { language: 'typescript' },
      language_info: { name: 'typescript' },
    });
    expect(sourceOf(stored.cells[0]!)).toMatch(/^# /);
  });

  it('shows what the stored runs give (npm run notebooks)', () => {
    for (const [at, cell] of fresh.cells.entries()) {
      const printed =
        cell.cell_type === 'code' && cell.outputs[0]?.output_type === 'stream' ? cell.outputs[0].text[0]! : '';
      if (cell.metadata.tags?.includes('environment') && printed.startsWith('skipped: ')) {
        console.log(`${printed.trim()} (${name} cell ${at + 1})`);
        continue;
      }
      expect(shown(cell), `cell ${at + 1}`).toEqual(shown(stored.cells[at]!));
    }
  });
});
