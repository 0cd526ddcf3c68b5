/** `npm run bench`: every bench, one after the other. `npm run bench simulator` runs those whose name contains the word. */

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const benches: Readonly<Record<string, () => Promise<{ run(): Promise<readonly Figure[]> }>>> = {
  simulator: () => import('./simulator.bench.js'),
  clients: () => import('./clients.bench.js'),
  servers: () => import('./servers.bench.js'),
};

const wanted = process.argv.slice(2);
const chosen = Object.entries(benches).filter(
  ([name]) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
);
if (chosen.length === 0) {
  process.stderr.write(`no bench is named so; there are: ${Object.keys(benches).join(', ')}\n`);
  process.exitCode = 2;
}
for (const [name, load] of chosen) {
  process.stdout.write(`${name}\n`);
  for (const { name: figure, value, unit } of await (await load()).run()) {
    const text = value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
    process.stdout.write(`  ${figure.padEnd(72)} ${text.padStart(14)} ${unit}\n`);
  }
}
