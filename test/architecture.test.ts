import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** From top to bottom: a folder may import itself and what stands after it. */
const LAYERS = ['scenarios', 'optimizers', 'clients', 'servers', 'results'] as const;

/** Heavy dependencies and the only places that may import them. */
const HOMES: Readonly<Record<string, readonly RegExp[]>> = {
  'onnxruntime-node': [/^servers\/runtimes\/onnx/, /^optimizers\/train\//],
  '@tensorflow/tfjs': [/^servers\/runtimes\/tfjs\.ts$/],
  '@tensorflow/tfjs-backend-wasm': [/^servers\/runtimes\/tfjs\.ts$/],
  yaml: [/^scenarios\/yaml\.ts$/],
  vega: [/^results\/formats\//],
  'vega-lite': [/^results\/formats\//, /^results\/views\//],
  'apache-arrow': [/^results\/(readings-)?arrow\.ts$/],
  koffi: [/^results\/monitors\/nvml-library\.ts$/, /^results\/scheduling\.ts$/],
  '@grpc/grpc-js': [/^clients\/transports\//, /^servers\/frontends\//],
  '@grpc/proto-loader': [/^clients\/transports\//, /^servers\/(frontends|protocol)\//],
  '@grpc/reflection': [/^servers\/frontends\//],
  undici: [
    /^servers\/routing\/rest-upstream\.ts$/,
    /^clients\/transports\/undici-engine\.ts$/,
    /^servers\/models\//,
    /^clients\/samples\//,
  ],
  sharp: [/^servers\/processing\/support\//],
  '@huggingface/tokenizers': [/^servers\/processing\/tokenise\.ts$/],
  'grpc-health-check': [/^servers\/frontends\//],
  commander: [/^scenarios\//],
  'prom-client': [/^servers\/(prometheus|routing\/metrics)\.ts$/],
  '@bufbuild/protobuf': [/^optimizers\/(onnx|train)\//],
  listr2: [/^scenarios\/progress\.ts$/],
  'ml-matrix': [/^optimizers\/passes\/support\/svd\.ts$/, /^optimizers\/search\//],
};

/** Strategies and controllers are pure: no clock, no I/O, no randomness. */
const PURE = /^servers\/(strategies|controllers|llm)\//;
const IMPURE =
  /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bperformance\.|\bsetTimeout\b|\bsetImmediate\b|\bsetInterval\b|\bprocess\.|from 'node:/;

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** Repository path of a relative import. */
  readonly target: string | undefined;
}

const files = LAYERS.flatMap((layer) => sources(layer));
const imports = files.flatMap(importsOf);

describe('architecture', () => {
  test('imports point one way: scenarios → optimizers → clients → servers → results', () => {
    const wrong = imports.filter(({ file, target }) => target !== undefined && rank(target) < rank(file));
    expect(wrong.map(show)).toEqual([]);
  });

  test('clients see of servers only servers/protocol and servers/processing, which knows of no server', () => {
    const seen = /^servers\/(protocol|processing)\//;
    const wrong = imports.filter(
      ({ file, target }) =>
        /^(clients|servers\/processing)\//.test(file) && target?.startsWith('servers/') && !seen.test(target),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  test('nothing imports from test or notebooks', () => {
    expect(
      imports.filter(({ target }) => target !== undefined && /^(test|notebooks)\//.test(target)).map(show),
    ).toEqual([]);
  });

  test('notebooks import from results only, their cells too', () => {
    const runner = sources('notebooks').flatMap(importsOf);
    const cells = readdirSync('notebooks')
      .filter((name) => name.endsWith('.ipynb'))
      .flatMap((name) => cellImports(join('notebooks', name)));
    const wrong = [...runner, ...cells].filter(
      ({ target }) => target !== undefined && !/^(notebooks|(dist\/)?results)\//.test(target),
    );
    expect(wrong.map(show)).toEqual([]);
    expect(cells.length).toBeGreaterThan(0);
  });

  test('every heavy dependency has one home', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      const homes = HOMES[packageOf(specifier)];
      return homes !== undefined && !homes.some((home) => home.test(file));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  test('no file imports itself through others, except by type', () => {
    expect(cycles()).toEqual([]);
  });

  test('strategies and controllers have no clock, no I/O and no randomness', () => {
    const wrong = files.filter(
      (file) =>
        PURE.test(file) && !/registry\.ts$/.test(file) && IMPURE.test(withoutComments(readFileSync(file, 'utf8'))),
    );
    expect(wrong).toEqual([]);
  });

  test('no any, no note to self, no unseeded randomness, no skipped test', () => {
    const all = [...files, ...sources('test')].filter((file) => !file.endsWith('architecture.test.ts'));
    const wrong = all.filter((file) =>
      /: any(?=\s*[;,)=|>&\]{}]|$)|\bas any\b|<any>|\bTODO\b|\bFIXME\b|\bMath\.random\b|\b(it|test|describe)\.(only|skip)\(/m.test(
        readFileSync(file, 'utf8'),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test('every code folder with additions has its four doors', () => {
    const folders = [...new Set(files.filter((file) => file.endsWith('/contract.ts')).map((file) => dirname(file)))];
    const missing = folders.flatMap((folder) =>
      ['README.md', 'contract.ts', 'registry.ts', 'index.ts']
        .map((door) => join(folder, door))
        .filter((door) => !existsSync(door)),
    );
    expect(missing).toEqual([]);
  });
});

function sources(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'runs' ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  const text = withoutComments(readFileSync(file, 'utf8'));
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => {
    const specifier = match[1]!;
    const target = specifier.startsWith('.')
      ? relative('.', resolve(dirname(file), specifier)).replace(/\.js$/, '.ts')
      : undefined;
    return { file, specifier, target };
  });
}

/** Of the TypeScript cells of a notebook. */
function cellImports(file: string): Import[] {
  const { cells } = JSON.parse(readFileSync(file, 'utf8')) as { cells: { cell_type: string; source: string[] }[] };
  const text = cells.flatMap((cell) => (cell.cell_type === 'code' ? [cell.source.join('')] : [])).join('\n');
  return [...text.matchAll(/^import .* from '(\.[^']+)'/gm)].map((match) => {
    const target = relative('.', resolve(dirname(file), match[1]!));
    return { file, specifier: match[1]!, target };
  });
}

/** Cycles among imports that exist at run time. */
function cycles(): string[] {
  const graph = new Map<string, string[]>();
  for (const file of files) {
    const text = withoutComments(readFileSync(file, 'utf8'));
    const targets = [...text.matchAll(/(?:import|export)\s+(?!type\b)([^;]*?)from\s*'(\.[^']+)'/g)]
      .filter((match) => !/^\{(\s*type\s+\w+(\s+as\s+\w+)?\s*,?)+\s*\}\s*$/.test(match[1]!))
      .map((match) => relative('.', resolve(dirname(file), match[2]!)).replace(/\.js$/, '.ts'));
    graph.set(file, targets);
  }
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  return found;
}

function rank(path: string): number {
  const layer = LAYERS.indexOf(path.split('/')[0] as (typeof LAYERS)[number]);
  return layer < 0 ? LAYERS.length : layer;
}

function packageOf(specifier: string): string {
  return specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!;
}

function show({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
