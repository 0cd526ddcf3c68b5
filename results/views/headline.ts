import type { ViewDefinition } from './contract.js';
import { type Claim, type Contender, claim, PAIRS_FOR_A_CLAIM, ratioOf } from './support/claims.js';
import { commonTail, type Figure, goodput, latency, throughput } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { arenas, comparedGroups, type Group } from './support/groups.js';
import { cautionText, counted, listed, ratioText } from './support/text.js';

/** Answers the scenario's question in words, no stronger than the repeats allow. */
export const headline: ViewDefinition = {
  name: 'headline',
  summary: 'The answer in words: which system is best under which load, by how much, how sure',
  render({ run, seed }) {
    const groups = comparedGroups(run);
    if (!groups.some((group) => group.summaries.length > 0)) return undefined;
    const claims = arenas(groups).flatMap((arena) => claimsOf(arena, seed));
    const byLoad = [...groupBy(claims, ({ arena }) => JSON.stringify([arena[0]!.load, arena[0]!.simulated])).values()];
    return [
      { kind: 'heading', text: 'Answer' },
      { kind: 'text', text: [tally(claims), trust(groups)].join(' ') },
      { kind: 'list', items: byLoad.map((list) => loadSentence(list, groups, seed)) },
      ...caveats(groups, claims).map((text) => ({ kind: 'text', text }) as const),
    ];
  },
};

interface ArenaClaim {
  readonly arena: readonly Group[];
  readonly claim: Claim;
}

/** One claim an arena, in the figure that its load is about; a load that can be missed adds goodput. */
function claimsOf(arena: readonly Group[], seed: bigint): ArenaClaim[] {
  return figuresFor(arena).flatMap((figure) => {
    const found = claim(arena, figure, seed);
    return found ? [{ arena, claim: found }] : [];
  });
}

/**
 * Single- and multi-stream and the open loads are about latency, offline about throughput, a closed loop about both. Under
 * an open load with a target, goodput counts too, once some system loses more than 1 % of what was offered.
 */
function figuresFor(arena: readonly Group[]): readonly Figure[] {
  const tail = commonTail(arena) ?? latency('p50');
  switch (arena[0]!.loadType) {
    case 'offline':
      return [throughput];
    case 'closed':
      return [throughput, tail];
    case 'single-stream':
    case 'multi-stream':
      return [tail];
    default:
      return losesSome(arena) ? [goodput, tail] : [tail];
  }
}

function losesSome(arena: readonly Group[]): boolean {
  return arena.some((group) =>
    group.summaries.some(
      ({ goodputPerSecond: good, offeredPerSecond: offered }) =>
        good !== null && offered !== null && good < 0.99 * offered,
    ),
  );
}

/** `**half**: on rest-binary, …; on grpc, ….` */
function loadSentence(list: readonly ArenaClaim[], all: readonly Group[], seed: bigint): string {
  const { load, simulated } = list[0]!.arena[0]!;
  const several = new Set(all.map((group) => group.transport)).size > 1;
  const perTransport = [...groupBy(list, ({ arena }) => arena[0]!.transport)].map(([transport, claims]) => {
    const words = listed(claims.map((each) => claimWords(each, seed)));
    return several ? `on ${transport}, ${words}` : words;
  });
  return `**${load}**${simulated ? ' (simulated)' : ''}: ${perTransport.join('; ')}.`;
}

function claimWords({ arena, claim: { figure, ranking, ratio, strength } }: ArenaClaim, seed: bigint): string {
  const [best, second] = ranking;
  if (strength === 'alone') return `${named(best!)} has ${valueWords(best!, figure)} (nothing to compare with)`;
  const interval = ratio.interval
    ? `95 % interval ${ratioText(ratio.interval.low)}–${ratioText(ratio.interval.high)}, `
    : '';
  const times = `${ratioText(ratio.ratio ?? 1)} × ${second!.group.system}’s; ${interval}${counted(ratio.pairs, 'pair')}`;
  if (strength === 'level') {
    return `no difference shown in ${figure.name} between ${named(best!)} and ${named(second!)} (${times})`;
  }
  const superlative = figure.better === 'lower' ? 'lowest' : 'highest';
  const verb = strength === 'shown' ? 'has' : 'seems to have';
  return `${named(best!)} ${verb} the ${superlative} ${valueWords(best!, figure)} (${times}${baseline(arena, best!, second!, figure, seed)})`;
}

/** `, 0.41 × serial’s` where the scenario's first system is neither of the two. */
function baseline(arena: readonly Group[], best: Contender, second: Contender, figure: Figure, seed: bigint): string {
  const first = arena[0]!;
  if (first === best.group || first === second.group) return '';
  const { ratio } = ratioOf(best.group, first, figure, seed);
  return ratio === null ? '' : `; ${ratioText(ratio)} × ${first.system}’s`;
}

function named({ group }: Contender): string {
  const caution = cautionText(group);
  return caution === '' ? `**${group.system}**` : `**${group.system}** [${caution}]`;
}

function valueWords({ merged }: Contender, figure: Figure): string {
  return `${figure.name}, ${figure.format(merged.value)}`;
}

/** How often who is best: the shortest honest answer. */
function tally(claims: readonly ArenaClaim[]): string {
  const shown = groupBy(
    claims.filter(({ claim: { strength } }) => strength === 'shown'),
    ({ claim: { ranking } }) => ranking[0]!.group.system,
  );
  const hinted = claims.filter(({ claim: { strength } }) => strength === 'hinted').length;
  const level = claims.filter(({ claim: { strength } }) => strength === 'level').length;
  const parts = [...shown]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([system, list]) => `**${system}** is shown to be best in ${list.length}`);
  if (hinted > 0) parts.push(`a difference is seen but not established in ${hinted}`);
  if (level > 0) parts.push(`no difference is shown in ${level}`);
  if (parts.length === 0) return 'There is one system, so nothing is compared.';
  return `Of ${counted(claims.length, 'comparison')}: ${parts.join(', ')}.`;
}

/** Whether the measurement can be trusted. */
function trust(groups: readonly Group[]): string {
  const completed = sum(groups, (group) => group.summaries.length);
  const invalid = sum(groups, (group) => group.invalid);
  const failed = sum(groups, (group) => group.failed);
  const bad = [invalid > 0 ? `${invalid} INVALID` : '', failed > 0 ? `${failed} failed` : ''].filter(
    (text) => text !== '',
  );
  const trials = counted(completed + failed, 'trial');
  return bad.length === 0 ? `All ${trials} are VALID.` : `Of ${trials}, ${listed(bad)}: see the findings.`;
}

function caveats(groups: readonly Group[], claims: readonly ArenaClaim[]): string[] {
  const repeats = Math.min(
    ...groups.filter((group) => group.summaries.length > 0).map((group) => group.summaries.length),
  );
  const compared = claims.some(({ claim: { strength } }) => strength !== 'alone');
  if (!compared || repeats >= PAIRS_FOR_A_CLAIM) return [];
  const why = repeats === 1 ? 'a single pair of trials has no interval' : 'so few pairs make wide, unsteady intervals';
  return [
    `**Read with care:** ${counted(repeats, 'repeat')} of each trial; ${why}. Set \`repeats: ${PAIRS_FOR_A_CLAIM}\` or more to establish a difference.`,
  ];
}

function sum(groups: readonly Group[], count: (group: Group) => number): number {
  return groups.reduce((total, group) => total + count(group), 0);
}
