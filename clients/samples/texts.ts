import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../results/errors.js';
import { packageRoot } from '../../results/package.js';
import { joinBytes } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { namesIn } from './folder.js';
import { bytesInput } from './shapes.js';

const MOST = 2000;

/**
 * Paragraphs of prose as BYTES [1], of the .txt and .md files of a directory in order of their names; default: the README
 * files of the packages that servemark uses. Their lengths vary, as those of real requests do. Each text once.
 */
export const texts = {
  name: 'texts',
  summary: 'Paragraphs of .txt and .md files (default: READMEs of node_modules): BYTES [1]',
  async create({ metadata, directory, count }) {
    const input = bytesInput(metadata, 'texts');
    const folder = directory ?? fileURLToPath(new URL('node_modules', packageRoot));
    const all = paragraphsOf(folder, directory === undefined).slice(0, count ?? MOST);
    if (all.length === 0)
      throw new UserError({
        place: `samples texts: ${folder}`,
        found: 'there is no paragraph in .txt or .md files',
        remedy: 'Set directory',
      });
    const rows = all.map((text) => joinBytes([Buffer.from(text)]));
    const sha256 = createHash('sha256');
    for (const row of rows) sha256.update(row);
    return {
      name: 'texts',
      totalSampleCount: rows.length,
      performanceSampleCount: rows.length,
      sha256: sha256.digest('hex'),
      inputs: (index) => [{ name: input.name, datatype: 'BYTES', shape: [1], data: rows[index]! }],
    };
  },
} as const satisfies SampleDefinition;

function paragraphsOf(folder: string, readmes: boolean): string[] {
  const files = readmes
    ? namesIn(folder).map((name) => join(folder, name, 'README.md'))
    : namesIn(folder, /\.(txt|md)$/i).map((name) => join(folder, name));
  const found = new Set<string>();
  for (const file of files) {
    for (const paragraph of read(file).split(/\n\s*\n/)) {
      const text = paragraph.replace(/\s+/g, ' ').trim();
      // Prose, not code, tables or badges.
      if (text.length >= 40 && text.length <= 2000 && /^[A-Z][^|{}<>[\]]+[.:!?]$/.test(text)) found.add(text);
    }
    if (found.size >= MOST) break;
  }
  return [...found];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
