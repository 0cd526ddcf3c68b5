import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderReport } from '../../results/report.js';
import { readRun } from '../../results/store.js';

const FOLDER = 'results/reference/quickstart';

test('the reference run’s report is what its stored trials give (npx servemark report results/reference/quickstart)', async () => {
  const { text, files } = await renderReport(readRun(FOLDER), 'markdown');
  expect(text).toBe(readFileSync(`${FOLDER}/report.md`, 'utf8'));
  for (const { path, content } of files) expect(content).toBe(readFileSync(`${FOLDER}/${path}`, 'utf8'));
});
