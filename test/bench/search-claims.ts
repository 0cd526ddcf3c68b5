import { type ClaimOptions, ground, samplesToNear } from '../../optimizers/search/claims.js';
import { searches } from '../../optimizers/search/index.js';

/**
 * How many of 720 configurations each search needs to come within 95 % of the true optimum, on full response tables of
 * synthetic models: median over models × seeds, with the negative controls. `npm run bench:search [-- MODELS SEEDS]`
 */
const [models = 6, seeds = 20] = process.argv.slice(2).map(Number);
const on = ground(Array.from({ length: models }, (_, k) => k + 1));
const common = { seeds: Array.from({ length: seeds }, (_, k) => k + 1), budget: 100 };

/** Searching all of it needs no statistics. */
const EXHAUSTIVE = 'grid';

interface Row {
  readonly label: string;
  readonly name: string;
  readonly options?: Partial<ClaimOptions>;
}

const rows: readonly Row[] = [
  ...searches.map(({ name }) => ({ label: name, name })).filter(({ name }) => name !== EXHAUSTIVE),
  { label: 'morphling, priors shuffled', name: 'morphling', options: { shuffledPriors: true } },
  { label: 'falcon, no profile', name: 'falcon', options: { withoutProfile: true } },
];

process.stdout.write(
  `${models} models × ${seeds} seeds, 720 configurations, budget ${common.budget}; points until ≥ 95 % of the optimum\n` +
    `${'search'.padEnd(28)}median   quartiles        reached  best ÷ optimum  CPU s a run\n`,
);
for (const { label, name, options } of rows) {
  const before = process.cpuUsage();
  const { median, q25, q75, reached, meanShare, runs } = await samplesToNear(on, name, { ...common, ...options });
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(
    `${label.padEnd(28)}${points(median).padStart(6)}   ${`${points(q25)} … ${points(q75)}`.padEnd(16)} ${`${Math.round(reached * 100)} %`.padStart(6)}  ${meanShare.toFixed(3).padStart(14)}  ${((user + system) / 1e6 / runs).toFixed(2).padStart(11)}\n`,
  );
}

function points(value: number): string {
  return Number.isFinite(value) ? String(value) : `> ${common.budget}`;
}
