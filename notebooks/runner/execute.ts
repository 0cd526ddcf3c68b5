import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { type CodeCell, lines, type Notebook, type Output, sourceOf } from './notebook.js';
import { CellError, program } from './program.js';

/**
 * Runs the code cells of a notebook in order, in this process, and answers it with their outputs in place of the old ones. The same
 * stored runs give the same outputs. Throws CellError with the number of the cell that failed.
 */
export async function execute(notebook: Notebook, resultsUrl: URL): Promise<Notebook> {
  const numbered = notebook.cells.flatMap((cell, at) =>
    cell.cell_type === 'code' ? [{ cell: at + 1, source: sourceOf(cell) }] : [],
  );
  const resolve = (specifier: string) =>
    specifier.startsWith('node:') ? specifier : new URL(specifier.replace('../dist/results/', ''), resultsUrl).href;
  const kernel = new Kernel();
  await run(program(numbered, resolve), kernel);
  let count = 0;
  const cells = notebook.cells.map((cell, at) => {
    if (cell.cell_type !== 'code') return cell;
    count++;
    return { ...cell, execution_count: count, outputs: kernel.outputsOf(at + 1, count) } satisfies CodeCell;
  });
  return { ...notebook, cells };
}

/** Under a name of its own in the temporary folder: what a module imports is cached by address. */
async function run(text: string, kernel: Kernel): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'servemark-notebook-'));
  const file = join(folder, 'cells.mjs');
  writeFileSync(file, `const __notebook = globalThis[Symbol.for('servemark.notebook')];\n${text}`);
  const restore = kernel.listen();
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new CellError(kernel.cell, message, { cause: error });
  } finally {
    restore();
    rmSync(folder, { recursive: true });
  }
}

const DISPLAY = Symbol.for('Jupyter.display');

/** What the module calls, and what it printed and showed. */
class Kernel {
  cell = 0;
  readonly #streams = new Map<number, string>();
  readonly #shown = new Map<number, Readonly<Record<string, unknown>>>();

  begin(cell: number): void {
    this.cell = cell;
  }

  show(value: unknown): void {
    if (value !== undefined) this.#shown.set(this.cell, dataOf(value));
  }

  having(module: Record<string, unknown>, names: readonly string[], specifier: string): Record<string, unknown> {
    const missing = names.find((name) => !(name in module));
    if (missing !== undefined) throw new Error(`${specifier} has no "${missing}"`);
    return module;
  }

  /** From now on `console.log` writes into the current cell; answers what ends that. */
  listen(): () => void {
    const key = Symbol.for('servemark.notebook');
    const globals = globalThis as unknown as Record<symbol, unknown>;
    globals[key] = this;
    const { log } = console;
    console.log = (...values: unknown[]) => {
      this.#streams.set(this.cell, `${this.#streams.get(this.cell) ?? ''}${format(...values)}\n`);
    };
    return () => {
      console.log = log;
      delete globals[key];
    };
  }

  outputsOf(cell: number, count: number): Output[] {
    const text = this.#streams.get(cell);
    const data = this.#shown.get(cell);
    return [
      ...(text === undefined ? [] : [{ output_type: 'stream', name: 'stdout', text: lines(text) } as const]),
      ...(data === undefined
        ? []
        : [{ output_type: 'execute_result', execution_count: count, data, metadata: {} } as const]),
    ];
  }
}

/** By MIME type: what the value itself says (`Symbol.for('Jupyter.display')`, as in Deno), else JSON and text. */
function dataOf(value: unknown): Record<string, unknown> {
  const display = (value as { readonly [DISPLAY]?: () => Readonly<Record<string, unknown>> } | null)?.[DISPLAY];
  const data = typeof display === 'function' ? display.call(value) : plainData(value);
  return Object.fromEntries(
    Object.entries(data).map(([type, each]) => [type, typeof each === 'string' ? lines(each) : each]),
  );
}

function plainData(value: unknown): Record<string, unknown> {
  if (typeof value === 'string') return { 'text/plain': value };
  if (typeof value !== 'object' || value === null) return { 'text/plain': String(value) };
  return { 'application/json': value, 'text/plain': JSON.stringify(value, null, 1) };
}
