import { UserError } from '../../results/errors.js';
import { formatNamed, formats } from '../../results/formats/index.js';
import { renderReports, writeReport, writeReports } from '../../results/report.js';
import { listRuns, readRun } from '../../results/store.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { RESULTS_ROOT } from '../progress.js';

interface ReportCommandOptions {
  readonly format?: string;
  readonly out?: string;
  readonly png?: boolean;
}

export const reportCommand: CommandDefinition = {
  name: 'report',
  summary: 'make the reports of stored runs again, or one in another format',
  configure(command, finish) {
    command
      .argument('[run-folders...]', `default: the newest in ${RESULTS_ROOT}`)
      .option(
        '--format <name>',
        `${formats.map((format) => format.name).join(', ')} (md, tex, txt for short); printed, unless --out is given. Several runs make one document`,
      )
      .option('--out <folder>', 'write the report and its figures there, default format html')
      .option('--png', 'figures also as PNG (needs @resvg/resvg-js)')
      .action((folders: string[], options: ReportCommandOptions) => finish(report(folders, options)));
  },
};

/** Without format and destination: html and markdown into each run's folder. */
async function report(folders: readonly string[], { format, out, png }: ReportCommandOptions): Promise<number> {
  const chosen = folders.length > 0 ? folders : newest();
  if (format !== undefined) formatNamed(format, '--format');
  if (format === undefined && out === undefined) {
    for (const folder of chosen)
      for (const path of await writeReports(folder, { png })) process.stdout.write(`wrote ${path}\n`);
    return EXIT.done;
  }
  const runs = chosen.map((folder) => readRun(folder));
  if (out !== undefined) {
    process.stdout.write(`wrote ${await writeReport(runs, format ?? 'html', out, { png })}\n`);
    return EXIT.done;
  }
  if (png)
    throw new UserError({ place: '--png', found: 'what is printed has no figures', remedy: 'Name a folder: --out' });
  const colour = formatNamed(format!).name === 'terminal' && (process.stdout.isTTY ?? false) && !process.env.NO_COLOR;
  const { text, files } = await renderReports(runs, format!, { colour, width: process.stdout.columns ?? 100 });
  process.stdout.write(text);
  if (files.length > 0)
    process.stderr.write(`its ${files.length} files (figures) are not printed: --out FOLDER writes all of it\n`);
  return EXIT.done;
}

function newest(): string[] {
  const found = listRuns(RESULTS_ROOT).at(-1);
  if (found !== undefined) return [found];
  throw new UserError({ place: RESULTS_ROOT, found: 'there is no run yet', remedy: 'npm start makes one' });
}
