import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './figure.js';

/**
 * `npm run bench`: every bench, one after the other, in about two minutes. `npm run bench -- simulator` runs those whose
 * name contains the word; `--rounds 9` repeats everything more often than five times.
 */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  simulator: () => import('./simulator.bench.js'),
  clients: () => import('./clients.bench.js'),
  servers: () => import('./servers.bench.js'),
  monitors: () => import('./monitors.bench.js'),
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
else for (const [name, load] of chosen) await report(name, await load());

async function report(name: string, bench: Bench): Promise<void> {
  print(`${name}   (median, min … max of ${rounds} rounds; ${availableParallelism()} cores, load ${load()})`);
  for (const figure of await bench.run({ rounds })) print(line(figure));
  print(`  load average afterwards ${load()}`);
}

function line({ name, unit, median, min, max }: Figure): string {
  const spread = `(${show(min)} … ${show(max)})`;
  return `  ${name.padEnd(62)} ${show(median).padStart(11)} ${unit.padEnd(14)} ${spread}`;
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
