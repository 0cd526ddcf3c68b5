#!/usr/bin/env node
// Starts the compiled command line. In a checkout the sources are compiled first, when they are newer than `dist`.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const folders = ['scenarios', 'servers', 'clients', 'optimizers', 'results'];

/** The newest modification time (ms) of a source file below `folder`. */
function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'runs' || entry.name === 'reference') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) latest = Math.max(latest, newest(path));
    else if (entry.name.endsWith('.ts')) latest = Math.max(latest, statSync(path).mtimeMs);
  }
  return latest;
}

const stamp = join(root, 'dist', '.tsbuildinfo');
const sources = Math.max(...folders.map((folder) => (existsSync(join(root, folder)) ? newest(join(root, folder)) : 0)));
if (sources > 0 && existsSync(tsc) && (!existsSync(stamp) || statSync(stamp).mtimeMs < sources)) {
  process.stderr.write('servemark: compiling the checkout (once after every change) …\n');
  const built = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    stdio: ['ignore', 2, 2],
  });
  if (built.status !== 0) {
    process.stderr.write('servemark: the sources do not compile; mend the errors above and start again\n');
    process.exit(2);
  }
  utimesSync(stamp, new Date(), new Date()); // an unchanged build leaves the stamp old and would compile at every start
}
// Before the first module that asks: what goes into a file or a pipe is plain text, also where CI is set.
if (!process.stdout.isTTY && process.env.FORCE_COLOR === undefined) process.env.NO_COLOR ??= '1';
const { main } = await import('../dist/scenarios/cli.js');
await main(process.argv);
