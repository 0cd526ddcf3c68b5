import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../results/errors.js';
import { packageRoot } from '../../results/package.js';
import { joinBytes } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { bytesInput } from './shapes.js';

/** Of one type, so that no type drowns the others. */
const MOST_OF_A_TYPE = 40;
const BIGGEST_BYTES = 512 * 1024;
/** Looked at, at most: a folder may hold a whole disk. */
const MOST_ENTRIES = 100_000;

/** Ending → what such a file is, by the names that Magika gives types. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ '.js': 'javascript', '.mjs': 'javascript', '.cjs': 'javascript' },
  ...{ '.ts': 'typescript', '.mts': 'typescript', '.cts': 'typescript' },
  ...{ '.json': 'json', '.md': 'markdown', '.yml': 'yaml', '.yaml': 'yaml', '.toml': 'toml', '.html': 'html' },
  ...{ '.css': 'css', '.xml': 'xml', '.svg': 'svg', '.proto': 'proto', '.sh': 'shell', '.ps1': 'powershell' },
  ...{ '.c': 'c', '.cc': 'cpp', '.cpp': 'cpp', '.py': 'python', '.go': 'go', '.rs': 'rust', '.java': 'java' },
  ...{ '.png': 'png', '.jpg': 'jpeg', '.gif': 'gif', '.webp': 'webp', '.wasm': 'wasm', '.ttf': 'ttf', '.pdf': 'pdf' },
  ...{ '.woff': 'woff', '.woff2': 'woff2', '.gz': 'gzip', '.zip': 'zip', '.dll': 'pebin', '.sql': 'sql' },
};

/**
 * The files under a folder (default: the packages that servemark uses) whose ending says what they are, at most 40 of a type,
 * as BYTES [1] with the type's name as right answer. In order of their paths: the same folder gives the same samples.
 */
export const typedFiles = {
  name: 'typed-files',
  summary: 'Files under a folder (default: node_modules), each with the type that its ending says: BYTES [1]',
  async create({ metadata, directory, count }) {
    const input = bytesInput(metadata, 'typed-files');
    const folder = directory ?? fileURLToPath(new URL('node_modules', packageRoot));
    const found = filesOf(folder).slice(0, count);
    if (found.length === 0)
      throw new UserError({
        place: `samples typed-files: ${folder}`,
        found: 'there is no file there whose ending says what it is',
        allowed: `a folder with files that end in ${Object.keys(TYPES).slice(0, 8).join(', ')} …`,
        remedy: 'Set directory',
      });
    const contents = found.map(({ path }) => readFileSync(path));
    const sha256 = createHash('sha256');
    for (const [i, content] of contents.entries()) sha256.update(found[i]!.type).update(content);
    return {
      name: 'typed-files',
      totalSampleCount: found.length,
      performanceSampleCount: found.length,
      sha256: sha256.digest('hex'),
      inputs: (index) => [{ name: input.name, datatype: 'BYTES', shape: [1], data: joinBytes([contents[index]!]) }],
      answer: (index) => found[index]!.type,
    };
  },
} as const satisfies SampleDefinition;

interface TypedFile {
  readonly path: string;
  readonly type: string;
}

/** By type in turn, so that the first few are of many types. */
function filesOf(folder: string): TypedFile[] {
  const byType = new Map<string, TypedFile[]>();
  let entries = 0;
  const walk = (at: string): void => {
    for (const entry of listed(at)) {
      if (++entries > MOST_ENTRIES) return;
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      const type = entry.isFile() ? TYPES[extname(entry.name).toLowerCase()] : undefined;
      const others = type === undefined ? undefined : (byType.get(type) ?? []);
      if (type === undefined || others!.length >= MOST_OF_A_TYPE || !isOfSize(path)) continue;
      byType.set(type, [...others!, { path, type }]);
    }
  };
  walk(folder);
  const types = [...byType.keys()].sort();
  const rounds = Array.from({ length: MOST_OF_A_TYPE }, (_, round) => types.map((type) => byType.get(type)![round]));
  return rounds.flat().filter((file) => file !== undefined);
}

function listed(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** Magika itself is not asked about files of fewer than 8 bytes. */
function isOfSize(path: string): boolean {
  const { size } = statSync(path);
  return size >= 8 && size <= BIGGEST_BYTES;
}
