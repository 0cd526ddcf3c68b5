import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { formats } from '../../results/formats/index.js';
import { renderReport, writeReports } from '../../results/report.js';
import { listRuns, readRun } from '../../results/store.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { RESULTS_ROOT } from '../progress.js';

export const reportCommand: CommandDefinition = {
  name: 'report',
  summary: 'make the reports of a stored run again, or print one',
  configure(command, finish) {
    command
      .argument('[run-folder]', `default: the newest in ${RESULTS_ROOT}`)
      .option(
        '--format <name>',
        `print this format instead of writing files: ${formats.map((format) => format.name).join(', ')}`,
      )
      .action((folder: string | undefined, options: { format?: string }) => finish(report(folder, options.format)));
  },
};

async function report(folder: string | undefined, format: string | undefined): Promise<number> {
  const chosen = folder ?? listRuns(RESULTS_ROOT).at(-1);
  if (chosen === undefined)
    throw new UserError({ place: RESULTS_ROOT, found: 'there is no run yet', remedy: 'npm start makes one' });
  if (format === undefined) {
    for (const path of await writeReports(chosen)) process.stdout.write(`wrote ${path}\n`);
    return EXIT.done;
  }
  const colour = format === 'terminal' && (process.stdout.isTTY ?? false) && !process.env.NO_COLOR;
  const { text, files } = await renderReport(readRun(chosen), format, { colour, width: process.stdout.columns ?? 100 });
  process.stdout.write(text);
  if (files.length > 0 && !existsSync(join(chosen, files[0]!.path)))
    process.stderr.write(`its ${files.length} figures are written by: servemark report ${chosen}\n`);
  return EXIT.done;
}
