import pc from 'picocolors';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { table } from '../print.js';
import { announce, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';
import { planReplay, type Replay, replay } from '../replay.js';
import { differenceTable } from './compare.js';

interface ReplayOptions {
  readonly trials?: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const replayCommand: CommandDefinition = {
  name: 'replay',
  summary: 'offer the load of a stored run again, byte for byte, and list what differs between then and now',
  configure(command, finish) {
    command
      .argument('<run-folder>', 'the run')
      .option('--trials <text>', 'only trials whose name holds this')
      .option('--force', 'also where the model has other bytes than then')
      .option('--json', 'print what came of it as JSON')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--quiet', 'no progress')
      .action((folder: string, options: ReplayOptions) => finish(again(folder, options)));
  },
};

async function again(folder: string, options: ReplayOptions): Promise<number> {
  const stop = interruptible();
  const plan = await planReplay(folder, options.trials, options.force ?? false);
  const quiet = options.quiet === true || options.json === true;
  if (!quiet) announce(`Replay of ${folder}: ${plan.run.plan.question}`, plan.trials.length, undefined);
  const progress = showProgress(quiet);
  const found = await progress.during(
    replay(plan, { resultsRoot: options.out, signal: stop.signal, onEvent: progress.onEvent }),
  );
  if (options.json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else print(found);
  if (found.state === 'interrupted') return EXIT.interrupted;
  return found.trials.every(({ load }) => load === 'same' || load === 'unknown') ? EXIT.done : EXIT.invalid;
}

function print({ of, run, trials, differences: changed }: Replay): void {
  const rows = trials.map(({ id, load, text }) => [id, load === 'same' ? 'the same load' : `${load}`, text]);
  process.stdout.write(`\n${table(['trial', '', ''], rows)}\n`);
  const same = trials.filter(({ load }) => load === 'same').length;
  process.stdout.write(`${same} of ${trials.length} trials were offered the same bytes at the same due times.\n`);
  process.stdout.write(
    changed.length === 0
      ? 'Nothing else that is recorded differs between then and now.\n'
      : `What differs between then (A) and now (B):\n${differenceTable(changed)}`,
  );
  process.stdout.write(`${pc.dim('run')} ${run}\n${pc.dim('compare')} servemark compare ${of} ${run}\n`);
}
