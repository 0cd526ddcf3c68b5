import { mkdirSync, writeFileSync } from 'node:fs';
import { packageRoot } from '../../results/package.js';
import { FOLDER, strategyPages } from './strategy-pages.js';

/** `npm run docs`. */
mkdirSync(new URL(FOLDER, packageRoot), { recursive: true });
for (const { path, text } of strategyPages()) {
  writeFileSync(new URL(path, packageRoot), text);
  process.stdout.write(`${path}\n`);
}
