import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import { execute } from './execute.js';
import { notebookHtml } from './export.js';
import { type Cell, type Notebook, readNotebook, sourceOf, writeNotebook } from './notebook.js';
import { CellError } from './program.js';

const USAGE = 'npm run notebooks [-- [--check] [NOTEBOOK.ipynb …]]';
const FOLDER = 'notebooks';
/** Cells whose outputs depend on what is installed: `skipped: …` there leaves the stored outputs as they are. */
const ENVIRONMENT = 'environment';

/** Runs notebooks headless, writes their outputs back and a page of each into notebooks/html; `--check` only compares. */
async function main(args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const named = args.filter((arg) => arg !== '--check');
  if (named.some((arg) => arg.startsWith('-'))) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const paths = named.length > 0 ? named : all();
  let failed = 0;
  for (const path of paths) if (!(await one(path, check))) failed++;
  return failed === 0 ? 0 : 1;
}

function all(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.ipynb'))
    .sort()
    .map((name) => join(FOLDER, name));
}

async function one(path: string, check: boolean): Promise<boolean> {
  try {
    const stored = readNotebook(path);
    const fresh = withSkipped(stored, await execute(stored, new URL('../../results/', import.meta.url)), path);
    if (check) return same(stored, fresh, path);
    writeNotebook(path, fresh);
    const page = join(FOLDER, 'html', `${basename(path, '.ipynb')}.html`);
    writeFileAtomic(page, notebookHtml(fresh, basename(path)), 'the notebook’s page');
    process.stdout.write(`ran ${path}, wrote ${page}\n`);
    return true;
  } catch (error) {
    const where = error instanceof CellError ? `${path} cell ${error.cell}: ` : `${path}: `;
    process.stderr.write(`${where}${messageOf(error)}\n`);
    return false;
  }
}

function withSkipped(stored: Notebook, fresh: Notebook, path: string): Notebook {
  const cells = fresh.cells.map((cell, at): Cell => {
    const skipped = skippedText(cell);
    if (skipped === undefined) return cell;
    process.stdout.write(`${skipped} (${path} cell ${at + 1})\n`);
    const before = stored.cells[at]!;
    return cell.cell_type === 'code' && before.cell_type === 'code' && before.outputs.length > 0
      ? { ...cell, outputs: before.outputs }
      : cell;
  });
  return { ...fresh, cells };
}

function skippedText(cell: Cell): string | undefined {
  if (cell.cell_type !== 'code' || !cell.metadata.tags?.includes(ENVIRONMENT)) return undefined;
  const [first] = cell.outputs;
  const text = first?.output_type === 'stream' ? first.text.join('').trim() : '';
  return text.startsWith('skipped: ') ? text : undefined;
}

function same(stored: Notebook, fresh: Notebook, path: string): boolean {
  const differing = fresh.cells.flatMap((cell, at) =>
    JSON.stringify(sortedOutputs(cell)) === JSON.stringify(sortedOutputs(stored.cells[at]!)) ? [] : [at + 1],
  );
  if (differing.length === 0) {
    process.stdout.write(`${path} is what its runs give\n`);
    return true;
  }
  const [first] = differing;
  process.stderr.write(
    `${path}: outputs of cell ${differing.join(', ')} are not what the stored runs give (npm run notebooks). Cell ${first}: ${sourceOf(fresh.cells[first! - 1]!).split('\n')[0]}\n`,
  );
  return false;
}

function sortedOutputs(cell: Cell): unknown {
  if (cell.cell_type !== 'code') return undefined;
  return cell.outputs.map((output) =>
    output.output_type === 'stream'
      ? output.text.join('')
      : Object.entries(output.data)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([type, value]) => [type, Array.isArray(value) ? value.join('') : canonical(value)]),
  );
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, canonical(each)]);
}

process.exitCode = await main(process.argv.slice(2));
