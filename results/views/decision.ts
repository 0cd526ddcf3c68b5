import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { type Claim, PAIRS_FOR_A_CLAIM } from './support/claims.js';
import { type Figure, latency, merge } from './support/figures.js';
import { comparedGroups, type Group, identityOf, simulatedGroups } from './support/groups.js';
import { byInstances, costOf, goodShare, leadersOf, type Region, regionsOf } from './support/standings.js';
import { counted, listed, percentText, ratioText } from './support/text.js';

/** Which strategy when: derived from a league's data by rule. */
export const decision: ViewDefinition = {
  name: 'decision',
  summary: 'Which strategy to use under which load, and what another choice costs (servemark bench strategies)',
  render(input) {
    const { run } = input;
    if (!run.plan.league) return undefined;
    const measured = comparedGroups(run).filter(({ simulated }) => !simulated);
    const blocks = [measured, simulatedGroups(run)].flatMap((groups) => decide(groups, input));
    if (blocks.length === 0) return undefined;
    return [
      { kind: 'heading', text: 'Which strategy when' },
      {
        kind: 'text',
        text: 'The rule, for each load: drop what has less goodput than the best, by 1 % or more and beyond what chance does; of the rest, likewise, what has a higher p99; of the rest what costs more. What is left is the choice; where several are left, these data give no reason to prefer one.',
      },
      ...blocks,
      ...caution(run),
    ];
  },
};

function caution({ outcomes }: ViewInput['run']): Block[] {
  const repeats = Math.max(...outcomes.map((outcome) => identityOf(outcome).repeat));
  if (repeats >= PAIRS_FOR_A_CLAIM) return [];
  const text = `**Read with care:** ${counted(repeats, 'repeat')} of each trial give hints; a difference is established by ${PAIRS_FOR_A_CLAIM} or more.`;
  return [{ kind: 'text', text }];
}

/** Systems on as many instances are compared with each other. */
function decide(groups: readonly Group[], input: ViewInput): Block[] {
  return byInstances(groups, input.run.plan).flatMap(([instances, list]) => decideFor(instances, list, input));
}

function decideFor(instances: number, groups: readonly Group[], { run, seed }: ViewInput): Block[] {
  const cost = costOf(groups);
  const regions = regionsOf(groups, cost, seed, run.plan.twins);
  if (regions.length === 0) return [];
  const how = groups[0]!.simulated ? 'simulated' : 'measured';
  const kind = `${how}, ${counted(instances, 'instance')}`;
  return [
    {
      kind: 'text',
      text: `**${how === 'simulated' ? 'Simulated' : 'Measured'}**, model ${run.plan.model.name}, ${counted(instances, 'instance')}:`,
    },
    { kind: 'list', items: [...sentences(regions), ...everywhere(regions, cost)] },
    choices(regions, kind, cost),
    regrets(regions, kind, cost),
  ];
}

/** Loads with the same choice share a sentence. */
function sentences(regions: readonly Region[]): string[] {
  const byChoice = new Map<string, Region[]>();
  for (const region of regions) {
    const key = [...region.choice].sort().join(' ');
    byChoice.set(key, [...(byChoice.get(key) ?? []), region]);
  }
  return [...byChoice.values()].map((list) => {
    const names = inOrder(list[0]!).map((name) => `**${name}**`);
    const where = listed(list.map(({ arena }) => arena[0]!.load));
    return `${where}: ${names.length === 1 ? names[0] : `${listed(names)} (level)`}.`;
  });
}

interface Regret {
  readonly system: string;
  /** Share of the best goodput that is lost, at worst; and where. */
  readonly loss: number;
  readonly lossAt: string;
  /** p99 against that of the choice, at worst, over loads where goodput keeps up. */
  readonly tail: number | null;
  readonly tailAt: string;
  /** Cost of a good answer against that of the choice, at worst. */
  readonly cost: number | null;
  readonly costAt: string;
}

/** One strategy for all loads: the least of the worst losses. */
function everywhere(regions: readonly Region[], cost: Figure): string[] {
  const [best] = regretsOf(regions, cost);
  if (!best) return [];
  const loss =
    best.loss < 0.005
      ? 'loses no goodput anywhere'
      : `loses ${percentText(best.loss)} of the best goodput at worst (${best.lossAt})`;
  const tail = best.tail === null ? '' : `; ${tailWords(best.tail, best.tailAt)}`;
  return [`If it has to be one for all loads: **${best.system}** ${loss}${tail}.`];
}

function tailWords(tail: number, at: string): string {
  if (tail < 1.01) return 'its p99 is nowhere above that of the choice';
  return `its p99 is at worst ${ratioText(tail)} × that of the choice (${at})`;
}

function choices(regions: readonly Region[], kind: string, cost: Figure): Block {
  const cell = (made: Claim | undefined): Cell => {
    if (!made) return { text: '–', mark: 'dim' };
    const value = made.figure.format(made.best.merged.value);
    const { length } = leadersOf(made);
    return `${value} (${length === 1 ? leadersOf(made)[0] : `${length} level`})`;
  };
  return {
    kind: 'table',
    caption: `Load by load (${kind}): the best figure, and how many are not seen to be worse`,
    columns: ['load', 'choice', 'goodput', 'of these: p99', `of these: ${cost.name}`].map(
      (title) => ({ title, align: 'left' }) as const,
    ),
    rows: regions.map((region): Cell[] => [
      region.arena[0]!.load,
      { text: inOrder(region).join(', '), short: few(region.choice), mark: 'good' },
      cell(region.goodput),
      cell(region.p99),
      cell(region.cost),
    ]),
  };
}

/** As the scenario names them: the same choice looks the same under every load. */
function inOrder({ arena, choice }: Region): string[] {
  return arena.map(({ system }) => system).filter((system) => choice.includes(system));
}

/** A terminal's line has room for one name. */
function few(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `${names.length} level`;
}

function regrets(regions: readonly Region[], kind: string, cost: Figure): Block {
  const times = (value: number | null, at: string): Cell =>
    value === null ? { text: '–', mark: 'dim' } : `${ratioText(value)} × (${at})`;
  return {
    kind: 'table',
    caption: `What it costs to use one of them under every load, at worst (${kind})`,
    columns: [
      { title: 'system', align: 'left' },
      { title: 'goodput lost', align: 'right' },
      { title: 'p99 against the choice’s', align: 'right' },
      { title: 'cost against the choice’s', align: 'right' },
    ],
    rows: regretsOf(regions, cost).map((each): Cell[] => [
      each.system,
      each.loss < 0.005 ? 'none' : `${percentText(each.loss)} (${each.lossAt})`,
      times(each.tail, each.tailAt),
      times(each.cost, each.costAt),
    ]),
  };
}

/** The least worst loss first; losses below half a percent are none. */
function regretsOf(regions: readonly Region[], cost: Figure): Regret[] {
  const systems = [...new Set(regions.flatMap(({ arena }) => arena.map(({ system }) => system)))];
  const found = systems.map((system) => regretOf(system, regions, cost));
  const rank = ({ loss }: Regret) => Math.round(loss * 200);
  return found.sort((a, b) => rank(a) - rank(b) || (a.tail ?? Number.MAX_VALUE) - (b.tail ?? Number.MAX_VALUE));
}

function regretOf(system: string, regions: readonly Region[], cost: Figure): Regret {
  let [loss, tail, dear]: [number, number | null, number | null] = [0, null, null];
  let [lossAt, tailAt, costAt] = ['', '', ''];
  for (const { arena, choice } of regions) {
    const own = arena.find((group) => group.system === system);
    const chosen = arena.find((group) => group.system === choice[0]);
    const best = Math.max(0, ...arena.map((group) => goodShare(group) ?? 0));
    const share = own ? (goodShare(own) ?? 0) : 0;
    const { load } = arena[0]!;
    const lost = best > 0 ? 1 - share / best : 0;
    if (lost > loss) [loss, lossAt] = [lost, load];
    if (!own || !chosen) continue;
    const ratio = (figure: Figure) => {
      const [mine, theirs] = [merge(own, figure), merge(chosen, figure)];
      return mine && theirs && theirs.value > 0 ? mine.value / theirs.value : null;
    };
    const [slower, dearer] = [ratio(latency('p99')), ratio(cost)];
    if (slower !== null && slower > (tail ?? 0)) [tail, tailAt] = [slower, load];
    if (dearer !== null && dearer > (dear ?? 0)) [dear, costAt] = [dearer, load];
  }
  return { system, loss, lossAt, tail, tailAt, cost: dear, costAt };
}
