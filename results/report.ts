import { basename, join, relative, resolve } from 'node:path';
import { writeFileAtomic } from './files.js';
import type { Rendered, RenderOptions, Report } from './formats/index.js';
import { formatNamed, withPngs } from './formats/index.js';
import { measurements } from './measurements.js';
import type { RecordTable } from './record.js';
import { joinReports } from './report-join.js';
import type { StoredRun } from './run.js';
import { readRun, readTrialReadings, readTrialRecords, safeName } from './store.js';
import type { Block, ViewInput } from './views/index.js';
import { views } from './views/index.js';
import { identityOf } from './views/support/groups.js';

export interface ReportOptions extends RenderOptions {
  /** Reads a trial's records; default: from the run's folder. */
  readonly records?: ((trialId: string) => RecordTable | undefined) | undefined;
  /** Only these views, of those that the format has room for; default: all. */
  readonly views?: readonly string[] | undefined;
  /** Name of the file without its ending; default `report`. */
  readonly name?: string | undefined;
  /** Folder that the report will lie in, for its links to trials; default: the run's own. */
  readonly beside?: string | undefined;
}

/** A run as text in a format of the registry. Throws UserError where there is no such format. */
export async function renderReport(run: StoredRun, format: string, options: ReportOptions = {}): Promise<Rendered> {
  return render([run], format, options);
}

/** Several runs in one document, one after another; of one run the same as `renderReport`. */
export async function renderReports(
  runs: readonly StoredRun[],
  format: string,
  options: Omit<ReportOptions, 'records'> = {},
): Promise<Rendered> {
  return render(runs, format, options);
}

/** Writes `report.html`, `report.md` and its figures into a run's folder, from what lies there. Answers their paths. */
export async function writeReports(folder: string, options: ReportOptions = {}): Promise<string[]> {
  const run = readRun(folder);
  const written: string[] = [];
  for (const name of ['html', 'markdown']) written.push(await writeReport([run], name, folder, options));
  return written;
}

/** Writes `report.<ending>` and the files that it refers to into a folder. Answers the report's path. */
export async function writeReport(
  runs: readonly StoredRun[],
  format: string,
  folder: string,
  options: ReportOptions = {},
): Promise<string> {
  const { text, files } = await renderReports(runs, format, { ...options, beside: folder });
  for (const file of files) writeFileAtomic(join(folder, file.path), file.content, 'a figure of the report');
  const path = join(folder, `${options.name ?? 'report'}.${formatNamed(format).extension}`);
  writeFileAtomic(path, text, 'the report');
  return path;
}

async function render(runs: readonly StoredRun[], format: string, options: ReportOptions): Promise<Rendered> {
  const definition = formatNamed(format);
  const wanted = definition.views;
  const picked = (name: string) => options.views === undefined || options.views.includes(name);
  const hasRoom = (name: string) => wanted === 'all' || wanted.includes(name);
  const reports = runs.map((run) => buildReport(run, options, (name) => hasRoom(name) && picked(name)));
  const names = uniqueNames(runs);
  const report = reports.length === 1 ? reports[0]! : joinReports(reports, names);
  const rendered = await definition.render(report, options);
  return options.png ? { ...rendered, files: await withPngs(rendered.files) } : rendered;
}

/** Run folders by their names; those that share one are told apart by their number. */
function uniqueNames(runs: readonly StoredRun[]): string[] {
  const names = runs.map(({ folder }) => safeName(basename(resolve(folder))));
  return names.map((name, at) => (names.indexOf(name) === at ? name : `${name}-${at + 1}`));
}

function buildReport(run: StoredRun, options: ReportOptions, wanted: (view: string) => boolean): Report {
  const records = options.records ?? ((trialId: string) => rememberedRecords(run, trialId));
  const readings = (trialId: string) => readTrialReadings(run.folder, trialId);
  const input: ViewInput = { run, records, readings, seed: BigInt(run.plan.seeds.bootstrap ?? '0') };
  const sections = views
    .filter(({ name }) => wanted(name))
    .flatMap((view) => {
      const blocks: readonly Block[] | undefined = view.render(input);
      return blocks && blocks.length > 0 ? [{ name: view.name, blocks }] : [];
    });
  const base = options.beside === undefined ? '' : relative(resolve(options.beside), resolve(run.folder));
  return {
    title: run.plan.question,
    facts: facts(run),
    notices: notices(run),
    sections,
    measurements: measurements(run, basename(resolve(run.folder))),
    trialPath: (id) => [base, 'trials', id].filter((part) => part !== '').join('/'),
  };
}

/** Records that were read last, by run: every view and every format of a report asks for them again. */
const remembered = new WeakMap<StoredRun, Map<string, RecordTable | undefined>>();
/** Of all records that are kept of a run: some 150 MB. */
const REMEMBERED_ROWS = 1_000_000;

/** Views only read them. Older ones go where a newer one needs the room; the newest is always kept. */
function rememberedRecords(run: StoredRun, trialId: string): RecordTable | undefined {
  const kept = remembered.get(run) ?? new Map<string, RecordTable | undefined>();
  remembered.set(run, kept);
  if (kept.has(trialId)) return kept.get(trialId);
  const records = readTrialRecords(run.folder, trialId);
  let rows = records?.length ?? 0;
  for (const table of kept.values()) rows += table?.length ?? 0;
  for (const [id, table] of kept) {
    if (rows <= REMEMBERED_ROWS) break;
    rows -= table?.length ?? 0;
    kept.delete(id);
  }
  kept.set(trialId, records);
  return records;
}

function facts({ plan, environment, outcomes }: StoredRun): string[] {
  const { cpu, gpu } = environment;
  const started = outcomes
    .flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary.startedAt] : []))
    .sort()[0];
  const trials = plan.trials.length;
  return [
    `scenario ${plan.scenario}`,
    `model ${plan.model.name}`,
    `${cpu.model}, ${cpu.logicalCores} ${cpu.logicalCores === 1 ? 'core' : 'cores'}`,
    ...(gpu.state === 'present' ? [gpu.names.join(', ')] : []),
    `${(started ?? environment.capturedAt).slice(0, 16).replace('T', ' ')} UTC`,
    `${trials} ${trials === 1 ? 'trial' : 'trials'}`,
  ];
}

/** What must be read before any number. */
function notices(run: StoredRun): string[] {
  const { plan, outcomes, state } = run;
  const found: string[] = [];
  if (plan.simulated) found.push('Simulated: virtual time over a cost table. Nothing here was measured.');
  else if (outcomes.some((outcome) => identityOf(outcome).simulated))
    found.push('Contains simulated results; they are marked as such.');
  const done = `${outcomes.length} of ${plan.trials.length} trials are in this report.`;
  if (state === 'interrupted' && outcomes.length < plan.trials.length)
    found.push(`The run was interrupted: ${done} \`servemark run --resume\` goes on with it.`);
  const lost = plan.trials.length - outcomes.length;
  if (state === 'completed' && lost > 0)
    found.push(
      `Of ${lost} of ${plan.trials.length} trials there is no result that can be read.${plan.settings === undefined ? '' : ' `servemark run --resume` with the run’s folder measures them again.'}`,
    );
  if (run.damaged) found.push(`Damaged, and left out: ${run.damaged.join(', ')}.`);
  if (state === 'running') found.push(`The run is still going on: ${done}`);
  return found;
}
