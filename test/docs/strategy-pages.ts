import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { LeagueData } from '../../results/league-data.js';
import { packageRoot } from '../../results/package.js';
import { formatDuration } from '../../results/units.js';
import { optionLines } from '../../scenarios/catalogue.js';
import { parseVectors } from '../../servers/conform/vectors.js';
import { type StrategyDefinition, strategies } from '../../servers/strategies/index.js';

export const FOLDER = 'servers/strategies/docs';
const LEAGUE = 'results/reference/strategies/league.json';

export interface Page {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
}

/** One page a strategy, and their index: from the definitions, the vectors and the league run that is kept. */
export function strategyPages(): Page[] {
  const cases = casesByStrategy();
  const league = JSON.parse(readFileSync(new URL(LEAGUE, packageRoot), 'utf8')) as LeagueData;
  const pages = strategies.map((definition: StrategyDefinition) => ({
    path: `${FOLDER}/${definition.name}.md`,
    text: pageOf(definition, cases.get(definition.name) ?? 0, league),
  }));
  return [{ path: `${FOLDER}/README.md`, text: index(cases) }, ...pages];
}

function index(cases: ReadonlyMap<string, number>): string {
  const rows = strategies.map(
    ({ name, source, summary }) => `| [${name}](${name}.md) | ${source} | ${cases.get(name) ?? 0} | ${summary} |`,
  );
  return `${[
    '# The strategies, one page each',
    'Written by `npm run docs` from the definitions, the vectors and a stored league; a test holds them up to date.',
    ['| strategy | reproduces | vectors | |', '| --- | --- | ---: | --- |', ...rows].join('\n'),
  ].join('\n\n')}\n`;
}

function pageOf(definition: StrategyDefinition, cases: number, league: LeagueData): string {
  const { name, summary, source, differs = [] } = definition;
  const parts = [
    `# ${name}`,
    `${summary}.`,
    `**Reproduces:** ${source}. ${traits(definition)}`,
    '## Parameters',
    parameters(definition),
    '## Where it differs from the original, and why',
    differs.length === 0 ? 'Nowhere that is known.' : differs.map((each) => `- ${each}`).join('\n'),
    '## Vectors',
    vectors(name, cases),
    '## Figures',
    figures(definition, league),
  ];
  return `${parts.join('\n\n')}\n`;
}

function traits({ simulatedOnly, usesProfile }: StrategyDefinition): string {
  const where = simulatedOnly ? `Runs in virtual time only: ${simulatedOnly}.` : 'Simulated, and served for real.';
  return usesProfile ? `${where} It plans with the model’s measured cost (\`servemark profile\`).` : where;
}

function parameters(definition: StrategyDefinition): string {
  const lines = optionLines(definition);
  if (lines.length === 0) return 'None.';
  const rows = lines.map(({ name, original, type, fallback }) => {
    const value = type === 'quantity' && Number(fallback) > 0 ? formatDuration(Number(fallback)) : fallback;
    return `| \`${name}\` | ${original || '–'} | ${type === 'quantity' ? 'time' : type.replaceAll('|', '\\|')} | ${value} |`;
  });
  return ['| parameter | the original’s name | type | default |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function vectors(name: string, cases: number): string {
  const file = `test/vectors/${name}.json`;
  const command = existsSync(new URL(file, packageRoot)) ? ` Run them: \`servemark conform ${file}\`.` : '';
  return `${cases} cases with exact results, to the nanosecond.${command}`;
}

function casesByStrategy(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const folder = new URL('test/vectors/', packageRoot);
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.json')))
    for (const { strategy } of parseVectors(readFileSync(new URL(file, folder), 'utf8'), file))
      found.set(strategy.name, (found.get(strategy.name) ?? 0) + 1);
  return found;
}

/** Of every system of the league that is this strategy. */
function figures({ name, unranked }: StrategyDefinition, league: LeagueData): string {
  if (unranked) return `Not in the league of strategies: ${unranked}.`;
  const systems = league.systems.filter(({ summary }) => summary.split(',')[0] === name);
  const bound = formatDuration(league.p99TargetNs ?? 0);
  const head = `From a stored league in virtual time (\`${league.command}\`; figures in [results/reference/strategies](../../../results/reference/strategies/decision.md)). Good: answered within ${bound}, of what was offered. Instance time: for each good answer.`;
  return [head, ...systems.map((system) => table(system, league))].join('\n\n');
}

function table({ name, summary }: LeagueData['systems'][number], { rows }: LeagueData): string {
  const shown = rows.filter(({ system }) => system === name);
  const time = (ns: number | null) => (ns === null ? '–' : formatDuration(ns));
  return [
    `**${name}**: ${summary}`,
    '',
    '| load | good | p99 | instance time | the choice there |',
    '| --- | ---: | ---: | ---: | --- |',
    ...shown.map(
      ({ load, goodShare, p99Ns, computeNs, chosen }) =>
        `| ${load} | ${goodShare === null ? '–' : `${(100 * goodShare).toFixed(1)} %`} | ${time(p99Ns)} | ${time(computeNs)} | ${chosen ? 'yes' : ''} |`,
    ),
  ].join('\n');
}
