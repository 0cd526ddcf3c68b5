import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './figure.js';

/**
 * `npm run bench`: every bench, one after the other, in about five minutes. `npm run bench -- clients lateness` runs those
 * whose names contain a word; `--rounds 9` repeats everything more often than five times.
 */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  simulator: () => import('./simulator.bench.js'),
  clients: () => import('./clients.bench.js'),
  servers: () => import('./servers.bench.js'),
  monitors: () => import('./monitors.bench.js'),
  variants: () => import('./variants.bench.js'),
  lateness: () => import('./lateness.bench.js'),
};

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const chosen = Object.entries(benches).filter(
  ([name]) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
if (chosen.length === 0) complain(`no bench is named so; there are: ${Object.keys(benches).join(', ')}`);
else if (!Number.isInteger(rounds) || rounds < 1) complain('--rounds takes a whole number from 1');
else await runAll();

async function runAll(): Promise<void> {
  print(`${cpus()[0]?.model ?? 'processor'}, ${availableParallelism()} cores, node ${process.version}`);
  print(`Median of ${rounds} interleaved rounds with its interval; × says how many times the first line of its group.`);
  const figures: Figure[] = [];
  for (const [name, load] of chosen) figures.push(...(await report(name, await load())));
  printTargets(figures.filter(({ target }) => target !== undefined));
}

async function report(name: string, bench: Bench): Promise<readonly Figure[]> {
  print(`\n${name}   (load average ${load()})`);
  const figures = await bench.run({ rounds });
  for (const figure of figures) print(line(figure));
  print(`  load average afterwards ${load()}`);
  return figures;
}

function line({ name, unit, median, low, high, ratio, target }: Figure): string {
  const spread = `(${show(low)} … ${show(high)})`.padEnd(20);
  const times = ratio ? `× ${show(ratio.median)} (${show(ratio.low)} … ${show(ratio.high)})` : '';
  const aim = target === undefined ? '' : `target ≤ ${show(target)}`;
  return `  ${name.padEnd(52)} ${show(median).padStart(11)} ${unit.padEnd(14)} ${spread} ${times.padEnd(26)} ${aim}`.trimEnd();
}

/** Targets are of a processor of 2024 that does nothing else: elsewhere the ratios to the peers say more. */
function printTargets(figures: readonly Figure[]): void {
  if (figures.length === 0) return;
  const missed = figures.filter(({ median, target }) => median > target!);
  print(`\ntargets: ${figures.length - missed.length} of ${figures.length} met`);
  for (const { name, unit, median, low, target } of missed) {
    const within = low <= target! ? '; within its interval' : '';
    print(`  missed: ${name}: ${show(median)} ${unit}, ${show(median / target!)} times its ${show(target!)}${within}`);
  }
}

function show(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

function load(): string {
  return loadavg()[0]!.toFixed(2);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}
