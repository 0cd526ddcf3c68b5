import { median } from '../stats/index.js';
import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { type Figure, goodput, latency, merge } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group, simulatedGroups } from './support/groups.js';
import { costOf, goodShare, leadersOf, type Region, regionsOf } from './support/standings.js';
import { cautionText, counted, figureCell, percentText, traced } from './support/text.js';

/** Strategies ranked over all loads: goodput at the objective, p99, cost. Only of runs of `servemark bench strategies`. */
export const league: ViewDefinition = {
  name: 'league',
  summary: 'Strategies ranked by goodput at the objective, p99 and cost, load by load (servemark bench strategies)',
  render(input) {
    const { run } = input;
    if (!run.plan.league) return undefined;
    const measured = comparedGroups(run).filter(({ simulated }) => !simulated);
    const blocks = [measured, simulatedGroups(run)].flatMap((groups) => tables(groups, input));
    if (blocks.length === 0) return undefined;
    return [{ kind: 'heading', text: 'League table' }, ...blocks, ...leftOut(run.plan.league.leftOut)];
  },
};

function tables(groups: readonly Group[], { run, seed }: ViewInput): Block[] {
  if (!groups.some(({ summaries }) => summaries.length > 0)) return [];
  const cost = costOf(groups);
  const regions = regionsOf(groups, cost, seed, run.plan.twins);
  const kind = groups[0]!.simulated ? 'simulated' : 'measured';
  const bound = latency('p99').format(run.plan.targets.p99LatencyNs ?? 0);
  return [
    standings(groups, regions, cost, kind, run.plan.systems),
    {
      kind: 'text',
      text: `Ranked by **good**: the share of the offered requests that were answered within ${bound}, mean over the loads. **leads**: in how many loads no other system is seen to be better, by 1 % or more and beyond chance, in goodput / of these also in p99 / of these also in cost. **cost**: ${cost.name}, median over the loads. **replicas**: replica-seconds for 1,000 good answers, median: instances cost whether they compute or not. **over**: trials whose p99 misses the objective.`,
    },
    byLoad(
      groups,
      `Answered within ${bound}, of what was offered (${kind})`,
      (group) => {
        const share = goodShare(group);
        return share === null ? undefined : percentText(share);
      },
      mark(regions, (region) => leadersOf(region.goodput)),
    ),
    figures(
      groups,
      latency('p99'),
      kind,
      mark(regions, (region) => leadersOf(region.p99)),
    ),
    figures(
      groups,
      cost,
      kind,
      mark(regions, (region) => region.choice),
    ),
  ];
}

function standings(
  groups: readonly Group[],
  regions: readonly Region[],
  cost: Figure,
  kind: string,
  systems: readonly { readonly name: string; readonly summary: string; readonly instances?: number }[],
): Block {
  const rows = [...groupBy(groups, ({ system }) => system)].map(([system, list]) => {
    const shares = list.map(goodShare).filter((share) => share !== null);
    const led = (pick: (region: Region) => readonly string[]) =>
      regions.filter((region) => pick(region).includes(system)).length;
    return {
      system,
      list,
      mean: shares.length === 0 ? 0 : shares.reduce((sum, each) => sum + each, 0) / shares.length,
      worst: shares.length === 0 ? 0 : Math.min(...shares),
      goodput: led((region) => leadersOf(region.goodput)),
      p99: led((region) => leadersOf(region.p99)),
      cost: led((region) => region.choice),
      perThousand: replicaSeconds(list, systems.find(({ name }) => name === system)?.instances ?? null),
      costs: list.flatMap((group) => merge(group, cost)?.value ?? []),
    };
  });
  rows.sort((a, b) => b.mean - a.mean || b.goodput - a.goodput || b.p99 - a.p99 || b.cost - a.cost);
  return {
    kind: 'table',
    caption: `League table (${kind}, ${counted(regions.length, 'load')})`,
    columns: [
      { title: 'system', align: 'left' },
      ...['rank', 'good', 'worst load', 'leads', 'cost', 'replicas'].map(
        (title) => ({ title, align: 'right' }) as const,
      ),
      { title: 'verdict', align: 'left' },
      { title: 'strategy', align: 'left' },
    ],
    rows: rows.map((row, i): Cell[] => [
      row.system,
      String(i + 1),
      traced(percentText(row.mean), ...row.list),
      percentText(row.worst),
      `${row.goodput} / ${row.p99} / ${row.cost}`,
      row.costs.length === 0 ? { text: '–', mark: 'dim' } : cost.format(median(row.costs)),
      row.perThousand === null ? { text: '–', mark: 'dim' } : `${row.perThousand.toFixed(2)} s`,
      verdictOf(row.list),
      { text: systems.find(({ name }) => name === row.system)?.summary ?? '', short: ' ' },
    ]),
  };
}

/** Instances are paid for whether they compute or not. Median over the loads. */
function replicaSeconds(groups: readonly Group[], instances: number | null): number | null {
  if (instances === null) return null;
  const values = groups.flatMap((group) => {
    const good = merge(group, goodput);
    return good && good.value > 0 ? [(1000 * instances) / good.value] : [];
  });
  return values.length === 0 ? null : median(values);
}

function verdictOf(groups: readonly Group[]): Cell {
  const all = groups.flatMap(({ summaries }) => summaries);
  const missed = all.filter(({ verdict }) => verdict.findings.some(({ severity }) => severity === 'missed')).length;
  const cautions = groups.map(cautionText).filter((text) => text !== '');
  if (cautions.length > 0)
    return {
      text: `${cautions[0]}${cautions.length > 1 ? ` and in ${cautions.length - 1} more loads` : ''}`,
      short: cautions[0],
      mark: 'bad',
    };
  if (missed === 0) return 'VALID';
  return {
    text: `VALID; ${missed} of ${all.length} over`,
    short: `${missed} of ${all.length} over`,
  };
}

type Marks = (group: Group) => 'good' | undefined;

function mark(regions: readonly Region[], leaders: (region: Region) => readonly string[]): Marks {
  const led = new Map(regions.map((region) => [region.arena[0]!.load, new Set(leaders(region))]));
  return ({ load, system }) => (led.get(load)?.has(system) ? 'good' : undefined);
}

function figures(groups: readonly Group[], figure: Figure, kind: string, marks: Marks): Block {
  const name = figure.name.charAt(0) === 'p' ? figure.name : figure.name.charAt(0).toUpperCase() + figure.name.slice(1);
  return byLoad(groups, `${name} (${kind})`, (group) => merge(group, figure) && short(group, figure), marks);
}

function short(group: Group, figure: Figure): string {
  const cell = figureCell(group, figure);
  return typeof cell === 'string' ? cell : (cell.short ?? cell.text);
}

function byLoad(
  groups: readonly Group[],
  caption: string,
  text: (group: Group) => string | undefined,
  marks: Marks,
): Block {
  const loads = [...new Set(groups.map(({ load }) => load))];
  return {
    kind: 'table',
    caption,
    columns: [{ title: 'system', align: 'left' }, ...loads.map((title) => ({ title, align: 'right' }) as const)],
    rows: [...groupBy(groups, ({ system }) => system)].map(([system, list]): Cell[] => [
      system,
      ...loads.map((load): Cell => {
        const group = list.find((each) => each.load === load);
        const shown = group && text(group);
        if (!group || shown === undefined) return { text: '–', mark: 'dim' };
        const good = marks(group);
        return traced(good ? { text: shown, mark: good } : shown, group);
      }),
    ]),
  };
}

function leftOut(list: readonly { readonly name: string; readonly reason: string }[]): Block[] {
  if (list.length === 0) return [];
  return [
    { kind: 'text', text: 'Not in this league, and why:' },
    { kind: 'list', items: list.map(({ name, reason }) => `\`${name}\`: ${reason}`) },
  ];
}
