import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { strategies } from '../../servers/strategies/index.js';
import { FOLDER, strategyPages } from './strategy-pages.js';

const pages = strategyPages();

test.each(pages)('$path is what `npm run docs` writes', ({ path, text }) => {
  expect(existsSync(path), `${path} is missing`).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('no page is left of a strategy that is gone', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(pages.map(({ path }) => path.split('/').at(-1)!).sort());
});

test('every strategy says where it differs, and has vectors', () => {
  for (const { name } of strategies) {
    const page = pages.find(({ path }) => path.endsWith(`/${name}.md`))!;
    expect(page.text, name).not.toContain('Nowhere that is known');
    expect(page.text, name).toMatch(/\n[1-9]\d* cases with exact results/);
  }
});
