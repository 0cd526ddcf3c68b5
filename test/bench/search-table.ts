import { type Claim, type Ground, samplesToNear } from '../../optimizers/search/claims.js';
import { searches } from '../../optimizers/search/index.js';

/** Models whose tables a transfer knows beforehand. */
export const KNOWN_MODELS = [1, 2, 3, 4, 5, 6] as const;

/** Models on which the options of searches are chosen. */
export const TUNING_MODELS = Array.from({ length: 12 }, (_, k) => 101 + k);

/** Models on which searches are judged; nothing is chosen on them. */
export const NEW_MODELS = [201, 202, 203, 204, 205, 206] as const;

export const BUDGET = 100;

/** What each search needed on the models that it is judged on; points beyond the budget are null. */
export interface ClaimsTable {
  readonly configurations: number;
  readonly budget: number;
  readonly near: number;
  readonly knownModels: readonly number[];
  readonly tuningModels: readonly number[];
  readonly newModels: readonly number[];
  readonly seeds: readonly number[];
  readonly rows: readonly ClaimsRow[];
}

interface ClaimsRow extends Omit<Claim, 'median' | 'q25' | 'q75' | 'byModel' | 'samples'> {
  readonly label: string;
  readonly median: number | null;
  readonly q25: number | null;
  readonly q75: number | null;
  readonly byModel: readonly (number | null)[];
  readonly samples: readonly (readonly (number | null)[])[];
  readonly cpuSecondsPerRun: number;
}

/** Searching all of it needs no statistics. */
const EXHAUSTIVE = 'grid';

const ROWS = [
  ...searches.map(({ name }) => ({ label: name, name, options: {} })).filter(({ name }) => name !== EXHAUSTIVE),
  { label: 'morphling, priors shuffled', name: 'morphling', options: { shuffledPriors: true } },
  { label: 'falcon, no profile', name: 'falcon', options: { withoutProfile: true } },
] as const;

/** Judges every search and the negative controls. */
export async function claimsTable(
  on: Ground,
  known: Ground,
  models: readonly number[],
  seeds: readonly number[],
  onRow: (row: ClaimsRow, table: ClaimsTable) => void,
): Promise<ClaimsTable> {
  const table = { configurations: on.tables[0]!.length, budget: BUDGET, near: 0.95, knownModels: KNOWN_MODELS };
  const rows: ClaimsRow[] = [];
  const soFar = (): ClaimsTable => ({ ...table, tuningModels: TUNING_MODELS, newModels: models, seeds, rows });
  for (const { label, name, options } of ROWS) {
    const before = process.cpuUsage();
    const claim = await samplesToNear(on, name, { seeds, budget: BUDGET, known, ...options });
    const { user, system } = process.cpuUsage(before);
    rows.push({
      label,
      ...claim,
      median: finite(claim.median),
      q25: finite(claim.q25),
      q75: finite(claim.q75),
      byModel: claim.byModel.map(finite),
      samples: claim.samples.map((each) => each.map(finite)),
      cpuSecondsPerRun: (user + system) / 1e6 / claim.runs,
    });
    onRow(rows.at(-1)!, soFar());
  }
  return soFar();
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Headings and cells of the table, as text. */
export const COLUMNS = [
  'search',
  'median',
  'quartiles',
  'medians of models',
  'reached',
  'best ÷ optimum',
  'runs',
  'CPU s a run',
] as const;

export function cellsOf(row: ClaimsRow, { budget }: ClaimsTable): string[] {
  const points = (value: number | null) => (value === null ? `> ${budget}` : String(value));
  return [
    row.label,
    points(row.median),
    `${points(row.q25)} … ${points(row.q75)}`,
    `${points(row.byModel[0]!)} … ${points(row.byModel.at(-1)!)}`,
    `${Math.round(row.reached * 100)} %`,
    row.meanShare.toFixed(3),
    row.distinct === row.runs ? String(row.runs) : `${row.runs}, ${row.distinct} distinct`,
    row.cpuSecondsPerRun.toFixed(2),
  ];
}

/** In two sentences what the figures are. */
export function titleOf({
  configurations,
  budget,
  near,
  knownModels,
  tuningModels,
  newModels,
  seeds,
}: ClaimsTable): string {
  return (
    `Points until the first within ${near * 100} % of the true optimum of ${configurations} configurations, budget ${budget}: ${newModels.length} new models × ${seeds.length} seeds. ` +
    `A transfer knows two thirds of the models of seeds ${span(knownModels)}, drawn a run. Options were chosen on seeds ${span(tuningModels)} ` +
    `(--choose); judged is on seeds ${span(newModels)}, on which nothing was chosen.`
  );
}

function span(numbers: readonly number[]): string {
  return numbers.length > 1 ? `${numbers[0]} to ${numbers.at(-1)}` : String(numbers[0]);
}

/** The table as a page of the repository. */
export function claimsPage(table: ClaimsTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    '# What each search needs',
    '',
    `${titleOf(table)} Made by \`npm run bench:search -- --out results/reference/search-claims\`, from [claims.json](claims.json).`,
    '',
    line(COLUMNS),
    line(COLUMNS.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...table.rows.map((row) => line(cellsOf(row, table))),
    '',
    'Quartiles are over all runs; "medians of models" from the easiest model to the hardest. A search that draws nothing does the',
    'same with every seed: "distinct" counts the runs that differ, and only those are evidence.',
    '',
  ].join('\n');
}
