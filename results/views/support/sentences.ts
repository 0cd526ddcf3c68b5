import type { Claim, Contender, Rival } from './claims.js';
import { groupBy } from './group-by.js';
import { cautionText, counted, listed, ratioText } from './text.js';

/**
 * A claim as part of a sentence, no stronger than it is: `**a** has the lowest p99 latency, 1.2 ms: 0.6 × b’s (0.5–0.7)`;
 * `no difference shown in p99 latency between **a** (1.2 ms) and **b** (1.3 ms); c is behind: …`.
 */
export function claimWords({ figure, best, rivals, strength }: Claim): string {
  const value = ({ merged }: Contender) => figure.format(merged.value);
  if (strength === 'alone') return `${named(best)} has a ${figure.name} of ${value(best)} (nothing to compare with)`;
  if (strength !== 'level') {
    const verb = strength === 'shown' ? 'has' : 'seems to have';
    const superlative = figure.better === 'lower' ? 'lowest' : 'highest';
    return `${named(best)} ${verb} the ${superlative} ${figure.name}, ${value(best)}: ${ratios(rivals)}`;
  }
  const level = rivals.filter(({ standing }) => standing === 'level');
  const behind = rivals.filter(({ standing }) => standing !== 'level');
  const leaders = [best, ...level].map((each) => `${named(each)} (${value(each)})`);
  const words = `no difference shown in ${figure.name} between ${few(leaders)}`;
  if (behind.length === 0) return words;
  const sure = behind.every(({ standing }) => standing === 'behind');
  const verb = behind.length === 1 ? (sure ? 'is' : 'seems') : sure ? 'are' : 'seem';
  const others = few(behind.map((each) => `${each.group.system} (${value(each)})`));
  return `${words}; ${others} ${verb} behind: ${best.group.system} has ${ratios(behind)}`;
}

/** A sentence of ten names is not read: the first three, and how many more. The tables have them all. */
function few(items: readonly string[]): string {
  return items.length <= 4 ? listed(items) : listed([...items.slice(0, 3), `${items.length - 3} more`]);
}

/** Of many rivals the nearest and the farthest. */
function ratios(rivals: readonly Rival[]): string {
  if (rivals.length <= 3) return listed(rivals.map(ratioWords));
  return `${ratioWords(rivals[0]!)} … ${ratioWords(rivals.at(-1)!)}`;
}

/** How often who is best: the shortest honest answer. */
export function tallyWords(claims: readonly Claim[]): string {
  const compared = claims.filter(({ strength }) => strength !== 'alone');
  if (compared.length === 0) return 'Nothing stands beside another system, so nothing is compared.';
  const level = compared.filter(({ strength }) => strength === 'level').length;
  const parts = [
    ...wins(compared, 'shown').map(([system, n]) => `**${system}** is shown to be best in ${n}`),
    ...wins(compared, 'hinted').map(([system, n]) => `**${system}** seems best in ${n}`),
    ...(level > 0 ? [`no single best is shown in ${level}`] : []),
  ];
  return [`Of ${counted(compared.length, 'comparison')}, ${listed(parts)}.`, ...losses(compared)].join(' ');
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `serial is behind in 7, two in 2.` */
function losses(claims: readonly Claim[]): string[] {
  const behind = claims.flatMap(({ rivals }) => rivals.filter(({ standing }) => standing !== 'level'));
  if (behind.length === 0) return [];
  const verb = behind.every(({ standing }) => standing === 'behind') ? 'is' : 'seems';
  const counts = [...groupBy(behind, ({ group }) => group.system)]
    .map(([system, list]): [string, number] => [system, list.length])
    .sort((a, b) => b[1] - a[1]);
  const words = counts.map(([system, n], i) =>
    i === 0 ? `**${system}** ${verb} behind in ${n}` : `**${system}** in ${n}`,
  );
  return [`${listed(words)}.`];
}

function wins(claims: readonly Claim[], strength: Claim['strength']): [system: string, count: number][] {
  const won = groupBy(
    claims.filter((each) => each.strength === strength),
    ({ best }) => best.group.system,
  );
  return [...won].map(([system, list]): [string, number] => [system, list.length]).sort((a, b) => b[1] - a[1]);
}

/** `0.62 × two’s (95 % interval 0.55–0.70, 5 pairs)`. */
function ratioWords({ group, ratio }: Rival): string {
  if (ratio.ratio === null) return `no common repeat with ${group.system}`;
  const times = `${ratioText(ratio.ratio)} × ${group.system}’s`;
  if (ratio.interval === null || ratio.pairs < 3) return `${times} (${counted(ratio.pairs, 'pair')})`;
  const { low, high } = ratio.interval;
  return `${times} (95 % interval ${ratioText(low)}–${ratioText(high)}, ${counted(ratio.pairs, 'pair')})`;
}

/** A best figure from INVALID trials is no clean win: it says so beside the name. */
function named({ group }: Contender): string {
  const caution = cautionText(group);
  return caution === '' ? `**${group.system}**` : `**${group.system}** [${caution}]`;
}
