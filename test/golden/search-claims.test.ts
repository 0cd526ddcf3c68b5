import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { type Ground, ground, samplesToNear } from '../../optimizers/search/claims.js';
import { type ClaimsTable, claimsPage, KNOWN_MODELS, NEW_MODELS, TUNING_MODELS } from '../bench/search-table.js';

const FOLDER = 'results/reference/search-claims';
const table = JSON.parse(readFileSync(`${FOLDER}/claims.json`, 'utf8')) as ClaimsTable;

test('the page of the claims is what its figures give (npm run bench:search -- --out results/reference/search-claims)', () => {
  expect(claimsPage(table)).toBe(readFileSync(`${FOLDER}/claims.md`, 'utf8'));
});

test('models that searches are judged on are neither known to them nor those that options were chosen on', () => {
  const all = [...KNOWN_MODELS, ...TUNING_MODELS, ...NEW_MODELS];
  expect(new Set(all).size).toBe(all.length);
  expect([table.knownModels, table.tuningModels, table.newModels]).toEqual([KNOWN_MODELS, TUNING_MODELS, NEW_MODELS]);
});

let [known, first]: Ground[] = [];
beforeAll(() => {
  [known, first] = [ground(table.knownModels), ground(table.newModels.slice(0, 1))];
});

test.each(['random', 'hill-climb'])('%s needs on the first new model what the table says, seed by seed', async (search) => {
  const seeds = table.seeds.slice(0, 3);
  // Which models are known decides what a seed draws next, even for searches that do not look at them.
  const { samples } = await samplesToNear(first!, search, { seeds, budget: table.budget, known });
  const stored = table.rows.find(({ label }) => label === search)!.samples[0]!;
  expect(samples[0]!.map((points) => (Number.isFinite(points) ? points : null))).toEqual(stored.slice(0, 3));
});
