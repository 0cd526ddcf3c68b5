import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { captureEnvironment } from '../../results/capture.js';
import { createRun } from '../../results/store.js';
import type { TrialOutcome } from '../../results/summary.js';
import { loadScenario } from '../../scenarios/load.js';
import { planWithModels } from '../../scenarios/prepare.js';
import { trialRunner } from '../../scenarios/run.js';
import { countRepetition, NULL_RESULT, nullWords } from './null-experiment.js';
import { simulatedRepetition } from './null-simulated.js';

/**
 * `npm run bench:null`: the null experiment. One system under two names is compared forty times, each time by five interleaved
 * pairs of short trials with processes of their own; whatever is called better or worse is false. It ends after `--minutes`
 * and says how many comparisons it made. `-- --simulated`: the same in virtual time, in seconds.
 */
const { values } = parseArgs({
  options: {
    repetitions: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '15' },
    model: { type: 'string', default: 'fashion-mlp' },
    transport: { type: 'string', default: 'rest-binary' },
    simulated: { type: 'boolean', default: false },
  },
});
const repetitions = Number(values.repetitions);
const endsAt = Date.now() + Number(values.minutes) * 60e3;

let result = NULL_RESULT;
const repetition = values.simulated ? async (i: number) => simulatedRepetition(BigInt(i)) : measured();
for (let i = 1; i <= repetitions && Date.now() < endsAt; i++) {
  result = countRepetition(result, await repetition(i), BigInt(i));
  if (!values.simulated) process.stderr.write(`${i} of ${repetitions}: ${result.falsePositives} false\n`);
}
process.stdout.write(
  `null experiment, ${values.simulated ? 'in virtual time' : `${values.model} over ${values.transport}`}\n${nullWords(result)}\n`,
);
process.exitCode = result.falsePositives > 0.05 * result.repetitions ? 1 : 0;

function measured(): (i: number) => Promise<TrialOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'servemark-null-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return async (i) => {
    const file = join(folder, `null-${i}.yaml`);
    writeFileSync(file, scenario(i));
    const loaded = loadScenario(file);
    const { stored, trials } = await planWithModels(loaded, 'npm run bench:null');
    const store = createRun(join(folder, 'runs'), stored, captureEnvironment());
    const controller = new AbortController();
    const runner = trialRunner(stored.settings as Parameters<typeof trialRunner>[0], store, {
      signal: controller.signal,
      onEvent: () => {},
    });
    const outcomes: TrialOutcome[] = [];
    for (const [index, spec] of trials.entries()) outcomes.push(await runner.run(spec, index, trials.length));
    store.finish('completed');
    rmSync(join(folder, 'runs'), { recursive: true, force: true });
    return outcomes;
  };
}

function scenario(seed: number): string {
  return `schema: 1
question: Is a system equal to itself?
model: ${values.model}
systems: { one: { strategy: serial }, two: { strategy: serial } }
loads: { alone: { type: single-stream, duration: 250ms } }
transports: [${values.transport}]
repeats: 5
warmUp: 100ms
seeds: { schedule: ${1000 * seed}, order: ${seed} }
`;
}
