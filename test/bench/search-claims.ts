import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ground } from '../../optimizers/search/claims.js';
import { tryOptions } from './search-options.js';
import {
  BUDGET,
  COLUMNS,
  cellsOf,
  claimsPage,
  claimsTable,
  KNOWN_MODELS,
  NEW_MODELS,
  TUNING_MODELS,
  titleOf,
} from './search-table.js';

/**
 * How many of 720 configurations each search needs to come within 95 % of the true optimum, on full response tables of
 * synthetic models, with the negative controls.
 *
 *     npm run bench:search                          the table, judged on models on which nothing was chosen
 *     npm run bench:search -- --out FOLDER          and writes claims.json and claims.md
 *     npm run bench:search -- --models 2 --seeds 5  a shorter one
 *     npm run bench:search -- --choose              what was tried for options, on other models; --out writes options.txt
 */
const { values } = parseArgs({
  options: {
    choose: { type: 'boolean', default: false },
    out: { type: 'string' },
    models: { type: 'string', default: String(NEW_MODELS.length) },
    seeds: { type: 'string', default: '20' },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, k) => k + 1);
const known = ground(KNOWN_MODELS);
if (values.choose) await choose();
else await judge();

async function judge(): Promise<void> {
  const models = NEW_MODELS.slice(0, Number(values.models));
  let begun = false;
  const table = await claimsTable(ground(models), known, models, seeds, (row, soFar) => {
    if (!begun) print(`${titleOf(soFar)}\n\n${padded(COLUMNS)}`);
    begun = true;
    print(padded(cellsOf(row, soFar)));
  });
  if (values.out === undefined) return;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'claims.json'), `${JSON.stringify(table, null, 1)}\n`);
  writeFileSync(join(values.out, 'claims.md'), claimsPage(table));
}

async function choose(): Promise<void> {
  const tried = await tryOptions(ground(TUNING_MODELS), { seeds, budget: BUDGET, known });
  const lines = tried.map(
    ({ search, options, isDefault, cappedMean, reached }) =>
      `${search.padEnd(12)}${JSON.stringify(options).padEnd(36)}${cappedMean.toFixed(1).padStart(6)} points  ${`${Math.round(reached * 100)} %`.padStart(5)} reached${isDefault ? '  default' : ''}`,
  );
  const title = `Options on the models of seeds ${TUNING_MODELS[0]} to ${TUNING_MODELS.at(-1)} × ${seeds.length} seeds, on which nothing is judged; most reached first, then least mean points`;
  print([title, '', ...lines].join('\n'));
  if (values.out === undefined) return;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'options.txt'), `${[title, '', ...lines].join('\n')}\n`);
}

function padded(cells: readonly string[]): string {
  const widths = [28, 7, 14, 18, 8, 15, 18, 12];
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' ');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
