import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { messageOf, type Problem, UserError } from '../results/errors.js';

/** A YAML file with everything it `extends` merged in, and where each key stands. */
export interface MergedYaml {
  readonly value: Readonly<Record<string, unknown>>;
  /** `scenarios/x.yaml:9:5 systems.batching` for the key path, in the file that says it. */
  place(path: readonly (string | number)[], atKey?: boolean): string;
}

interface Layer {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Reads `file` and its bases. Maps merge key by key, the nearer file wins, `null` removes a key. Throws UserError. */
export function readYaml(file: string): MergedYaml {
  const layers = readLayers(file, []);
  let value: Record<string, unknown> = {};
  for (const layer of [...layers].reverse()) value = merge(value, plain(layer));
  delete value.extends;
  return { value, place: (path, atKey = false) => placeIn(layers, path, atKey) };
}

/** The file itself first, then its base, the base's base … */
function readLayers(file: string, seen: readonly string[]): Layer[] {
  const absolute = resolve(file);
  if (seen.includes(absolute))
    throw new UserError({
      place: file,
      found: `extends itself through ${[...seen, absolute].map((path) => basename(path)).join(' → ')}`,
      remedy: 'Remove one `extends`.',
    });
  const layer = parse(file);
  const base = layer.document.get('extends');
  if (base === undefined) return [layer];
  if (typeof base !== 'string')
    throw new UserError({
      place: placeIn([layer], ['extends'], false),
      found: 'is no file name',
      allowed: 'one path, relative to this file',
    });
  return [layer, ...readLayers(resolve(dirname(absolute), base), [...seen, absolute])];
}

function parse(file: string): Layer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UserError({
      place: file,
      found: UNREADABLE[code ?? ''] ?? `can't be read (${code ?? messageOf(error)})`,
      remedy: 'Give the path of a YAML file; `servemark init` writes a scenario to start from.',
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new UserError(
      document.errors.map((error): Problem => {
        const at = lines.linePos(error.pos[0]);
        return {
          place: `${file}:${at.line}:${at.col}`,
          ...(error.code === 'MULTIPLE_DOCS' ? SEVERAL : NOT_YAML(error.message)),
        };
      }),
    );
  }
  if (!isMap(document.contents))
    throw new UserError({
      place: `${file}:1:1`,
      found: 'holds no map of keys',
      allowed: 'a scenario: schema, question, model, systems, loads …',
      remedy: '`servemark init` writes one to start from.',
    });
  return { file, document, lines };
}

const SEVERAL = { found: 'a second document starts here', allowed: 'one document', remedy: 'Remove the `---`.' };
const NOT_YAML = (message: string) => ({
  found: `is not YAML: ${message}`,
  remedy: 'Indent with spaces, quote texts that hold ": " or "#".',
});

/** Aliases resolved. Throws UserError where one names no anchor before it, holds itself, or they multiply without end. */
function plain({ file, document, lines }: Layer): Record<string, unknown> {
  const found: Problem[] = [];
  visit(document, {
    Alias(_, alias, above) {
      const target = alias.resolve(document);
      if (target !== undefined && !above.includes(target)) return;
      const at = lines.linePos(alias.range?.[0] ?? 0);
      found.push({
        place: `${file}:${at.line}:${at.col}`,
        found: target ? `*${alias.source} stands within &${alias.source}` : `*${alias.source} names no anchor above it`,
        remedy: target ? 'Write out what is meant.' : `Mark what it repeats with &${alias.source}, or quote the text.`,
      });
    },
  });
  if (found.length > 0) throw new UserError(found);
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES }) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new UserError({
      place: file,
      found: 'its aliases repeat each other more often than a file by hand would',
      allowed: `${MOST_ALIASES} repetitions of an anchor`,
      remedy: 'Write out what is meant.',
    });
  }
}

const MOST_ALIASES = 100;

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by you',
};

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete merged[key];
    else if (isRecord(value) && isRecord(merged[key])) merged[key] = merge(merged[key], value);
    else merged[key] = value;
  }
  return merged;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The nearest file that says the path, else the deepest parent that is there. */
function placeIn(layers: readonly Layer[], path: readonly (string | number)[], atKey: boolean): string {
  for (let depth = path.length; depth >= 0; depth--) {
    for (const layer of layers) {
      const offset = offsetOf(layer.document, path.slice(0, depth), atKey && depth === path.length);
      if (offset === undefined) continue;
      const at = layer.lines.linePos(offset);
      return `${layer.file}:${at.line}:${at.col}${path.length > 0 ? ` ${path.join('.')}` : ''}`;
    }
  }
  return layers[0]!.file;
}

function offsetOf(document: Document, path: readonly (string | number)[], atKey: boolean): number | undefined {
  if (path.length === 0) return isNode(document.contents) ? document.contents.range?.[0] : undefined;
  const parent = document.getIn(path.slice(0, -1), true);
  const last = path[path.length - 1];
  if (isMap(parent)) {
    const pair = parent.items.find(
      (item) => (isScalar(item.key) ? String(item.key.value) : String(item.key)) === String(last),
    );
    if (!pair) return undefined;
    const node = atKey || !isNode(pair.value) ? pair.key : pair.value;
    return isNode(node) ? node.range?.[0] : undefined;
  }
  const node = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}
