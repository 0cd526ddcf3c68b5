import { join } from 'node:path';
import pc from 'picocolors';
import { UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import { formatNamed } from '../../results/formats/index.js';
import { unknownName } from '../../results/lookup.js';
import {
  type HistoryEntry,
  historyFolder,
  historyNames,
  historyReport,
  placeText,
  readHistory,
  segmentRows,
} from '../../results/regression/index.js';
import { safeName } from '../../results/store.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { table } from '../print.js';
import { HISTORY_ROOT } from '../progress.js';

interface HistoryOptions {
  readonly history: string;
  readonly out?: string;
  readonly json?: boolean;
}

export const historyCommand: CommandDefinition = {
  name: 'history',
  summary: 'what the runs of a scenario did over time: a page with trend charts, segments and change points',
  configure(command, finish) {
    command
      .argument('[scenario]', 'name of the scenario (default: the only one, else all are listed)')
      .option('--history <folder>', 'where the history lies', HISTORY_ROOT)
      .option('--out <file>', 'the page (default: history.html beside the entries)')
      .option('--json', 'print levels and change points as JSON instead of writing a page')
      .action((scenario: string | undefined, options: HistoryOptions) => finish(history(scenario, options)));
  },
};

/** Permutation tests of change points need a seed; the same history gives the same page. */
const SEED = 4n;

async function history(scenario: string | undefined, options: HistoryOptions): Promise<number> {
  const names = historyNames(options.history);
  const name = scenario === undefined && names.length === 1 ? names[0]! : scenario && safeName(bare(scenario));
  if (name === undefined) {
    process.stdout.write(`${names.join('\n')}\n`);
    return EXIT.done;
  }
  if (!names.includes(name)) throw new UserError(unknownName(options.history, 'history', name, names));
  const entries = readHistory(options.history, name, (path) => process.stderr.write(`left out, unreadable: ${path}\n`));
  if (entries.length === 0) throw new UserError({ place: join(options.history, name), found: 'holds no entry' });
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ schema: 1, scenario: name, levels: segmentRows(entries, SEED) }, null, 2)}\n`,
    );
  else await writePage(name, entries, options);
  return EXIT.done;
}

async function writePage(name: string, entries: readonly HistoryEntry[], { history: root, out }: HistoryOptions) {
  const rows = segmentRows(entries, SEED).map(({ cell, figure, runs, segments, since, level, change }) => [
    placeText(cell),
    figure,
    String(runs),
    String(segments),
    since,
    level,
    change === null ? '–' : `${change < 0 ? '−' : '+'}${Math.abs(100 * change).toFixed(1)} %`,
  ]);
  process.stdout.write(table(['cell', 'figure', 'runs', 'segments', 'since', 'level', 'change'], rows));
  const { text } = await formatNamed('html').render(historyReport(name, entries, SEED), {});
  const path = out ?? join(historyFolder(root, name), 'history.html');
  writeFileAtomic(path, text, 'the page');
  process.stdout.write(`\n${pc.dim('page')} ${path}\n`);
}

/** `scenarios/nightly.yaml` means its name. */
function bare(scenario: string): string {
  return scenario.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/, '');
}
