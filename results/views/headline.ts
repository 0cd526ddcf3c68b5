import type { ViewDefinition } from './contract.js';
import { type AccuracyMiss, accuracyMisses, eligible } from './support/accuracy-gate.js';
import { amongAll, type Claim, claim, PAIRS_FOR_A_CLAIM } from './support/claims.js';
import { commonTail, type Figure, goodput, latency, throughput } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { arenas, comparedGroups, type Group, type Twins, twinsOf } from './support/groups.js';
import { capitalised, claimWords, tallyWords } from './support/sentences.js';
import { counted, listed } from './support/text.js';

/** Answers the scenario's question in words, no stronger than the repeats allow. */
export const headline: ViewDefinition = {
  name: 'headline',
  summary: 'The answer in words: which system is best under which load, by how much, how sure',
  render({ run, seed }) {
    const groups = comparedGroups(run);
    if (!groups.some((group) => group.summaries.length > 0)) return undefined;
    const misses = accuracyMisses(run);
    const claims = allClaims(eligible(groups, misses), run.plan.twins, seed);
    const byLoad = [...groupBy(claims, ({ arena }) => JSON.stringify([arena[0]!.load, arena[0]!.simulated])).values()];
    return [
      { kind: 'heading', text: 'Answer' },
      { kind: 'text', text: `${tallyWords(claims.map((each) => each.claim))} ${trust(groups)}` },
      { kind: 'list', items: byLoad.flatMap((list) => loadSentences(list, groups)) },
      ...[...missSentences(misses), ...caveats(groups, claims)].map((text) => ({ kind: 'text', text }) as const),
    ];
  },
};

/** What is fast and too often wrong is no answer. */
function missSentences(misses: readonly AccuracyMiss[]): string[] {
  if (misses.length === 0) return [];
  const names = [...new Set(misses.map(({ system }) => `**${system}**`))];
  return [`${listed(names)} can't be best: below the accuracy target. ${misses[0]!.message}`];
}

interface ArenaClaim {
  readonly arena: readonly Group[];
  readonly claim: Claim;
}

/** The claims of an arena are in the figures that its load is about; each is judged among all of them. */
function allClaims(groups: readonly Group[], twins: Twins, seed: bigint): ArenaClaim[] {
  const made = arenas(groups, twins).flatMap((arena) =>
    figuresFor(arena).flatMap((figure) => {
      const found = claim(arena, figure, seed, twinsOf(groups, arena, twins));
      return found ? [{ arena, claim: found }] : [];
    }),
  );
  const judged = amongAll(made.map((each) => each.claim));
  return made.map(({ arena }, i) => ({ arena, claim: judged[i]! }));
}

/**
 * Single- and multi-stream and the open loads are about latency, offline about throughput, a closed loop about both. Under
 * an open load with a target, goodput comes first, once some system loses more than 1 % of what was offered.
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

/** `**half** · grpc: …`: one sentence for each transport. */
function loadSentences(list: readonly ArenaClaim[], all: readonly Group[]): string[] {
  const several = new Set(all.map((group) => group.transport)).size > 1;
  return [...groupBy(list, ({ arena }) => arena[0]!.transport)].map(([transport, claims]) => {
    const { load, simulated } = list[0]!.arena[0]!;
    const where = `**${load}**${several ? ` · ${transport}` : ''}${simulated ? ' (simulated)' : ''}`;
    const [first, ...more] = claims.map((each) => claimWords(each.claim));
    return `${where}: ${[first!, ...more.map(capitalised)].join('. ')}.`;
  });
}

/** Whether the measurement can be trusted. */
function trust(groups: readonly Group[]): string {
  const summaries = groups.flatMap((group) => group.summaries);
  const invalid = summaries.filter(({ verdict }) => verdict.state === 'INVALID');
  const failed = groups.reduce((sum, group) => sum + group.failed, 0);
  const trials = counted(summaries.length + failed, 'trial');
  if (invalid.length + failed === 0) return summaries.length === 1 ? 'The trial is VALID.' : `All ${trials} are VALID.`;
  const rules = new Set(
    invalid.flatMap(({ verdict }) =>
      verdict.findings.filter(({ severity }) => severity === 'invalid').map(({ rule }) => rule),
    ),
  );
  const parts = [
    ...(invalid.length > 0 ? [`${invalid.length} INVALID (${[...rules].join(', ')})`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return `Of ${trials}, ${listed(parts)}: see the findings.`;
}

function caveats(groups: readonly Group[], claims: readonly ArenaClaim[]): string[] {
  const completed = groups.map((group) => group.summaries.length).filter((n) => n > 0);
  const repeats = Math.min(...completed);
  if (repeats >= PAIRS_FOR_A_CLAIM || claims.every((each) => each.claim.strength === 'alone')) return [];
  const why =
    repeats === 1
      ? 'each trial ran once, and the next run of it may differ by more than its own interval tells'
      : `there are ${repeats} repeats, whose intervals are wide and unsteady`;
  return [
    `**Read with care:** ${why}. Set \`repeats: ${PAIRS_FOR_A_CLAIM}\` or more before calling a difference established.`,
  ];
}
