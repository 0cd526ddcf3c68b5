import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loads } from '../clients/loads/index.js';
import { type Problem, UserError } from '../results/errors.js';
import { writeJsonAtomic } from '../results/files.js';
import { leagueData } from '../results/league-data.js';
import { keysOf, unknownName } from '../results/lookup.js';
import { packageRoot } from '../results/package.js';
import { writeReport } from '../results/report.js';
import { readRun } from '../results/store.js';
import { formatDuration, parseDuration } from '../results/units.js';
import { strategies } from '../servers/strategies/index.js';
import type { LoadSpec, Scenario } from './contract.js';
import { loadScenario } from './load.js';
import { type PreparedPlan, planWithModels } from './prepare.js';
import { type FinishedRun, type RunOptions, runScenario } from './run.js';

export interface LeagueOptions {
  /** Scenario file; default the one that ships with it. */
  readonly file?: string | undefined;
  /** Serve and measure too; else virtual time alone. */
  readonly real: boolean;
  /** Names of systems; default all. */
  readonly only?: readonly string[] | undefined;
  readonly repeats?: number | undefined;
  readonly durationNs?: number | undefined;
  /** Of a real league: its loads are shortened, then its repeats, until it fits. */
  readonly budgetNs?: number | undefined;
  readonly command: string;
}

/** What its report shows: the rest of the views would be hundreds of charts. */
const LEAGUE_VIEWS = ['decision', 'league', 'simulation', 'findings', 'loads', 'environment', 'reproduce'];

/** The scenario that ships. */
const LEAGUE_FILE = fileURLToPath(new URL('scenarios/strategies.yaml', packageRoot));

/** The shortest load that says something about a tail. */
const SHORTEST_NS = 2e9;
/** Start-up of two processes and warm-up, of a measured trial. */
const AROUND_NS = 1.5e9;

/** Scenario and plan of a league. Throws UserError. */
export async function planLeague(
  options: LeagueOptions,
): Promise<{ readonly scenario: Scenario; readonly prepared: PreparedPlan }> {
  const scenario = fitted(chosen(loadScenario(options.file ?? LEAGUE_FILE), options), options);
  const mode = options.real ? 'real' : 'simulated';
  const prepared = await planWithModels({ ...scenario, simulate: options.real }, options.command, mode);
  const stored = { ...prepared.stored, league: { leftOut: leftOut(scenario, options.only) } };
  return { scenario, prepared: { ...prepared, stored } };
}

/** Runs it and writes, beside the report, the page of the decision alone and the figures as data. */
export async function runLeague(
  { scenario, prepared }: Awaited<ReturnType<typeof planLeague>>,
  options: RunOptions,
): Promise<FinishedRun> {
  const finished = await runScenario(scenario, prepared, { ...options, reports: LEAGUE_VIEWS });
  return { ...finished, reports: [...(await writePages(finished.folder)), ...finished.reports] };
}

/** `decision.html`, `decision.md` and, for programs, `league.json`. */
async function writePages(folder: string): Promise<string[]> {
  const run = readRun(folder);
  const data = join(folder, 'league.json');
  writeJsonAtomic(data, leagueData(run), 'the league as data');
  const pages = [data];
  for (const format of ['html', 'markdown'])
    pages.push(await writeReport([run], format, folder, { views: ['decision'], name: 'decision' }));
  return pages;
}

/** The cost table that lies beside the scenario that ships: virtual time then needs no measurement and is the same everywhere. */
export function leagueProfile(file: string | undefined): string | undefined {
  const path = (file ?? LEAGUE_FILE).replace(/\.ya?ml$/, '.profile.json');
  return existsSync(path) ? path : undefined;
}

function chosen(scenario: Scenario, { only, repeats, durationNs }: LeagueOptions): Scenario {
  if (scenario.targets.p99LatencyNs === undefined)
    throw new UserError({
      place: scenario.place(['targets']),
      found: 'a league has no objective to count good answers by',
      remedy: 'Add targets: { p99Latency: 20ms }',
    });
  const names = new Set(only);
  const missing = [...names].filter((name) => !scenario.systems.some((system) => system.name === name));
  if (missing.length > 0)
    throw new UserError(missing.map((name): Problem => unknownName('--only', 'system', name, scenario.systems)));
  // What rates are relative to takes part, or nothing could be offered.
  for (const { relativeRate } of scenario.loads) if (relativeRate) names.add(relativeRate.system);
  return {
    ...scenario,
    systems: only ? scenario.systems.filter(({ name }) => names.has(name)) : scenario.systems,
    repeats: repeats ?? scenario.repeats,
    loads: durationNs === undefined ? scenario.loads : lasting(scenario, durationNs),
  };
}

/**
 * The loads at another length. One that then offers fewer requests than the scenario lets any offer (what `20%` is of is not known
 * before a probe, so shares of one capacity are compared) is judged by its p90, which needs a tenth of them.
 */
function lasting({ loads: given }: Scenario, durationNs: number): Scenario['loads'] {
  const least = Math.min(...given.flatMap((load) => offered(load, nsOf(load.options.duration)) ?? []));
  return given.map((load) => {
    const isScarce = (offered(load, durationNs) ?? Number.POSITIVE_INFINITY) < least;
    const percentile = isScarce && takesPercentile(load) ? { percentile: 'p90' } : {};
    return { ...load, options: { ...percentile, ...load.options, duration: durationNs } };
  });
}

/** In what a capacity of one answers; undefined where that is unknown. */
function offered({ relativeRate }: LoadSpec, durationNs: number | undefined): number | undefined {
  return relativeRate && durationNs !== undefined ? relativeRate.factor * durationNs : undefined;
}

function nsOf(duration: unknown): number | undefined {
  return typeof duration === 'string' ? parseDuration(duration) : typeof duration === 'number' ? duration : undefined;
}

function takesPercentile({ type }: LoadSpec): boolean {
  const definition = loads.find(({ name }) => name === type);
  return definition !== undefined && keysOf(definition.options).includes('percentile');
}

/** A real league within its time: as many repeats as leave two seconds to each load. */
function fitted(scenario: Scenario, { real, budgetNs, durationNs }: LeagueOptions): Scenario {
  if (!real || budgetNs === undefined) return scenario;
  const cells = scenario.systems.length * scenario.loads.length * scenario.transports.length;
  const left = (repeats: number) => budgetNs / (cells * repeats) - AROUND_NS - scenario.warmUpNs;
  for (let repeats = scenario.repeats; repeats >= 1; repeats--) {
    const each = durationNs ?? Math.min(20e9, Math.floor(left(repeats) / 1e8) * 1e8);
    if (each < (durationNs ?? SHORTEST_NS) || each > left(repeats)) continue;
    return { ...scenario, repeats, loads: lasting(scenario, each) };
  }
  const needed = cells * ((durationNs ?? SHORTEST_NS) + AROUND_NS + scenario.warmUpNs);
  throw new UserError({
    place: '--budget',
    found: `${formatDuration(budgetNs)} for ${cells} trials (systems × loads), each once`,
    allowed: `at least ${formatDuration(needed)}`,
    remedy: 'Allow more, or name fewer strategies: --only serial,triton',
  });
}

/** Strategies of the registry that no system of the league uses. */
function leftOut(scenario: Scenario, only: readonly string[] | undefined) {
  const used = new Set(scenario.systems.map(({ strategy }) => strategy.name));
  return strategies
    .filter(({ name }) => !used.has(name))
    .map((definition: { readonly name: string; readonly unranked?: string }) => ({
      name: definition.name,
      reason: definition.unranked ?? (only ? 'not named in --only' : 'no system of the scenario uses it'),
    }));
}
