import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { accuracyMisses, eligible, isBarred } from './support/accuracy-gate.js';
import { amongAll, claim } from './support/claims.js';
import { commonTail, type Figure, goodput, latency, merge, throughput } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { arenas, comparedGroups, type Group, type Twins, twinsOf } from './support/groups.js';
import { figureCell, manyTransports, rowLabel } from './support/text.js';

/** Systems × loads, one table a figure. */
export const overview: ViewDefinition = {
  name: 'overview',
  summary: 'Systems × loads: tail latency, throughput and, with a target, goodput',
  render(input) {
    const groups = comparedGroups(input.run);
    if (groups.length === 0) return undefined;
    // Offline is one query: how long its last answer takes is its throughput, told another way.
    const timed = groups.filter((group) => group.loadType !== 'offline');
    const tables: readonly (readonly [Figure, readonly Group[]])[] = [
      [commonTail(timed) ?? latency('p50'), timed],
      [throughput, groups],
      [goodput, timed],
    ];
    const several = groups.some((group) => group.summaries.length > 1);
    return [
      { kind: 'heading', text: 'Systems and loads' },
      ...tables
        .filter(([figure, list]) => list.some((group) => merge(group, figure) !== undefined))
        .map(([figure, list]) => table(figure, list, input)),
      { kind: 'text', text: legend(several) },
    ];
  },
};

function table(figure: Figure, groups: readonly Group[], { run, seed }: ViewInput): Block {
  const loads = [...new Set(groups.map((group) => group.load))];
  const misses = accuracyMisses(run);
  const best = shownBest(eligible(groups, misses), figure, seed, run.plan.twins);
  const rows = [...groupBy(inRowOrder(groups, run.plan.systems), rowKey).values()].map((row): Cell[] => {
    const barred = isBarred(row[0]!, misses);
    const label = rowLabel(row[0]!, manyTransports(groups));
    return [
      barred ? { text: `${label} (below the accuracy target)`, mark: 'dim' } : label,
      ...loads.map((load) => {
        const group = row.find((each) => each.load === load);
        return figureCell(group, figure, barred ? 'dim' : group && best.has(group) ? 'good' : undefined);
      }),
    ];
  });
  return {
    kind: 'table',
    caption: caption(figure, run.plan.targets.p99LatencyNs),
    columns: [{ title: 'system', align: 'left' }, ...loads.map((title) => ({ title, align: 'right' }) as const)],
    rows,
  };
}

/** The groups that are shown to be the best of their arena, judged among all comparisons of the table. */
function shownBest(groups: readonly Group[], figure: Figure, seed: bigint, twins: Twins): ReadonlySet<Group> {
  const claims = arenas(groups, twins).flatMap(
    (arena) => claim(arena, figure, seed, twinsOf(groups, arena, twins)) ?? [],
  );
  return new Set(amongAll(claims).flatMap((each) => (each.strength === 'shown' ? [each.best.group] : [])));
}

/** Transport by transport, so that what is compared stands together. */
function inRowOrder(groups: readonly Group[], systems: readonly { readonly name: string }[]): readonly Group[] {
  const transports = [...new Set(groups.map((group) => group.transport))];
  const rank = (group: Group) => {
    const system = systems.findIndex(({ name }) => name === group.system);
    return (transports.indexOf(group.transport) * 2 + Number(group.simulated)) * (systems.length + 1) + system;
  };
  return [...groups].sort((a, b) => rank(a) - rank(b));
}

function rowKey(group: Group): string {
  return JSON.stringify([group.system, group.transport, group.simulated]);
}

function caption(figure: Figure, targetNs: number | undefined): string {
  const better = `${figure.better} is better`;
  if (figure !== goodput || targetNs === undefined) return `${capital(figure.name)} (${better})`;
  return `Goodput: answers within ${latency('p99').format(targetNs)} a second (${better})`;
}

function legend(several: boolean): string {
  const range = several ? 'Median over the repeats, with their range. ' : '';
  return `${range}Latency counts from the instant a request was due. Highlighted: shown to be best under that load and transport. ⚠ marks figures that rest on an INVALID trial.`;
}

/** `p99` stays as it is written everywhere. */
function capital(text: string): string {
  return /^p\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
