import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gate } from '../../scenarios/gate.js';
import { loadScenario } from '../../scenarios/load.js';
import { planWithModels } from '../../scenarios/prepare.js';

/**
 * `npm run bench:gate`: how sharp the gate is, with real trials of the synthetic runtime. A history of five runs, then ten
 * runs with 10 % more service time (nine or more are to be called regressions) and twenty with none (one or none). About
 * four minutes on a quiet machine; `-- --slow 2 --same 4` makes a piece of it, `--transport rest-binary` adds processes.
 */
const { values } = parseArgs({
  options: {
    history: { type: 'string', default: '5' },
    slow: { type: 'string', default: '10' },
    same: { type: 'string', default: '20' },
    transport: { type: 'string', default: 'in-process' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'servemark-gate-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

for (let i = 0; i < Number(values.history); i++) await judge(1, true);
const slow = await called(Number(values.slow), 1.1);
const same = await called(Number(values.same), 1);
process.stdout.write(
  `gate: ${slow} of ${values.slow} runs with 10 % more service time were called regressions, ${same} of ${values.same} with none (history of ${values.history} runs, ${values.transport})\n`,
);
process.exitCode = slow < 0.9 * Number(values.slow) || same > 0.05 * Number(values.same) ? 1 : 0;

async function called(tries: number, factor: number): Promise<number> {
  let regressions = 0;
  for (let i = 1; i <= tries; i++) {
    const { state, findings, confirmed } = await judge(factor, false);
    if (state === 'regressed') regressions++;
    const told = findings.map(({ figure, ratio, noiseFloor }) => {
      const sure = confirmed.some((each) => each.figure === figure) ? '!' : '';
      return `${figure}${sure} ×${ratio?.toFixed(3) ?? '–'} (noise ${noiseFloor?.toFixed(3) ?? '–'})`;
    });
    process.stderr.write(`×${factor}: ${state}, ${told.join(', ')}; ${regressions} of ${i} regressions\n`);
  }
  return regressions;
}

async function judge(factor: number, record: boolean) {
  const file = join(folder, 'nightly.yaml');
  writeFileSync(file, scenario(2e6 * factor));
  const prepared = await planWithModels(loadScenario(file), 'npm run bench:gate');
  return gate(
    {
      prepared,
      scenarioText: undefined,
      baseline: join(folder, 'history'),
      options: { seed: 4n, minShift: 0.02 },
      ...{ confirm: true, record, accept: false, remeasure: false },
    },
    { resultsRoot: join(folder, 'runs'), signal: new AbortController().signal, onEvent: () => {}, reports: false },
  );
}

function scenario(costNs: number): string {
  return `schema: 1
question: Is it as fast as it was?
model: { runtime: synthetic, cost: [[1, ${costNs}ns]] }
systems: { serial: { strategy: serial } }
loads: { alone: { type: single-stream, duration: 500ms } }
transports: [${values.transport}]
repeats: 6
warmUp: 100ms
`;
}
