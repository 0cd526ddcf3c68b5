import type { GatewaySummary } from '../gateway.js';
import { longestMiss } from '../recovery.js';
import type { TrialSummary } from '../summary.js';
import { formatDuration } from '../units.js';
import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, placeText, rowLabel, traced } from './support/text.js';

/** Systems of several replicas: who got what, what a route did, what replicas cost. */
export const gateway: ViewDefinition = {
  name: 'gateway',
  summary: 'Replicas behind a gateway: requests of each, routes, autoscalers, replica-seconds beside attainment',
  render(input) {
    const { run } = input;
    const groups = comparedGroups(run).filter(({ summaries }) => summaries.some((each) => each.gateway));
    if (groups.length === 0) return undefined;
    const transports = manyTransports(groups);
    const bound = run.plan.targets.p99LatencyNs;
    return [
      { kind: 'heading', text: 'Replicas' },
      {
        kind: 'text',
        text: 'Attempts are what a replica was given; a request that was tried again counts at each. Replica-seconds run from the start of a replica’s process to its end, in the measured window. Longest miss: from a request that missed the p99 target’s bound to the last one behind which all those due within a second kept it. Busy: time at work over the time that its instances were there. Of the first repeat where nothing else is said.',
      },
      cost(groups, transports, input, bound),
      ...groups.flatMap((group) => replicas(group, transports)),
      ...groups.flatMap((group) => story(group, transports)),
    ];
  },
};

function cost(groups: readonly Group[], transports: boolean, input: ViewInput, bound: number | undefined): Block {
  const within = bound === undefined ? 'within target' : `within ${formatDuration(bound)}`;
  const titles = ['load', 'balancing', 'replicas', 'replica-s', within, 'longest miss', 'retries', 'refused'];
  return {
    kind: 'table',
    caption: 'What was there, and what it was good for',
    columns: ['system', ...titles].map((title, i) => ({ title, align: i < 3 ? 'left' : 'right' })),
    rows: groups.map((group): Cell[] => {
      const own = group.summaries.filter((each) => each.gateway);
      const told = own[0]!.gateway!;
      const mean = (pick: (each: TrialSummary) => number | null) => {
        const known = own.map(pick).filter((value) => value !== null);
        return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
      };
      const share = mean(attainment);
      const figures = [
        replicasText(told),
        (mean((each) => each.gateway!.replicaSeconds) ?? 0).toFixed(1),
        share === undefined ? DASH : `${(share * 100).toFixed(2)} %`,
        missText(own[0]!, input, bound),
        count(mean((each) => each.gateway!.counts?.retries ?? null)),
        count(mean((each) => each.gateway!.counts?.refused ?? null)),
      ];
      return [rowLabel(group, transports), group.load, balancing(told), ...figures.map((cell) => traced(cell, group))];
    }),
  };
}

/** Answers within the target over all requests that were due; null without a target. */
function attainment({ goodputPerSecond, throughputPerSecond, counts }: TrialSummary): number | null {
  if (goodputPerSecond === null || !throughputPerSecond || counts.offered === 0) return null;
  return (goodputPerSecond / throughputPerSecond) * (counts.ok / counts.offered);
}

function replicasText({ replicas: { first, most, last } }: GatewaySummary): string {
  return first === most && most === last ? String(first) : `${first} → ${last}, most ${most}`;
}

function balancing({ algorithm, level, program, autoscaler, counts }: GatewaySummary): string {
  const route = counts?.route.name;
  return [
    algorithm,
    ...(level === 'connection' ? ['by connection'] : []),
    ...(program === 'servemark' ? [] : [`in ${program}`]),
    ...(route && route !== 'all' ? [route] : []),
    ...(autoscaler ? [autoscaler] : []),
  ].join(', ');
}

/** When the target was missed for longest: after a step of the rate, the time to recover. */
function missText({ trial }: TrialSummary, { records }: ViewInput, bound: number | undefined): string {
  const table = bound === undefined ? undefined : records(trial.id);
  if (!table) return DASH;
  const miss = longestMiss(table, bound!);
  if (!miss) return 'none';
  const from = (miss.fromNs / 1e9).toFixed(1);
  if (miss.toNs === null) return `from ${from} s on`;
  return `${((miss.toNs - miss.fromNs) / 1e9).toFixed(1)} s from ${from} s`;
}

/** More than that are a crowd: the table of each is left out. */
const MOST_SHOWN = 16;

function replicas(group: Group, transports: boolean): Block[] {
  const first = group.summaries.find((each) => each.gateway?.counts);
  const counts = first?.gateway?.counts;
  const all = counts?.pools.flatMap((pool) => pool.replicas.map((replica) => ({ pool: pool.name, ...replica }))) ?? [];
  if (!first || !counts || all.length < 2 || all.length > MOST_SHOWN) return [];
  const total = all.reduce((sum, { attempts }) => sum + attempts, 0);
  const titles = ['attempts', 'share', 'failed', 'mean latency', 'most in flight', 'busy'];
  return [
    {
      kind: 'table',
      caption: `${rowLabelText(group, transports)}: each replica`,
      columns: ['replica', ...titles].map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
      rows: all.map(({ pool, name, attempts, ok, failed, latencyNs, peakInFlight, busyNs, inNs }): Cell[] => [
        `${pool}/${name}`,
        ...[
          count(attempts),
          total > 0 ? `${((attempts / total) * 100).toFixed(1)} %` : DASH,
          count(failed),
          ok + failed > 0 ? formatDuration(latencyNs / (ok + failed)) : DASH,
          count(peakInFlight),
          inNs > 0 ? `${((busyNs / inNs) * 100).toFixed(0)} %` : DASH,
        ].map((cell) => traced(cell, group)),
      ]),
    },
  ];
}

/** What a route and its copies did, in words. */
function story(group: Group, transports: boolean): Block[] {
  const items = group.summaries.flatMap(({ gateway: told, trial }) => {
    const counts = told?.counts;
    if (!counts) return [];
    const place = group.summaries.length > 1 ? `repeat ${trial.repeat}: ` : '';
    const { mirror, route } = counts;
    return [
      ...route.changes.map(({ atNs, text }) => `${place}at ${(atNs / 1e9).toFixed(1)} s ${route.name} ${text}`),
      ...(route.basisPoints && route.name === 'ab' ? [`${place}${armsText(counts)}`] : []),
      ...(mirror ? [`${place}${mirrorText(mirror)}`] : []),
    ];
  });
  if (items.length === 0) return [];
  return [
    { kind: 'text', text: `**${rowLabelText(group, transports)}**` },
    { kind: 'list', items },
  ];
}

function armsText({ pools, route }: NonNullable<GatewaySummary['counts']>): string {
  const total = pools.reduce((sum, { requests }) => sum + requests, 0);
  return pools
    .map(({ name, requests }) => {
      const got = total > 0 ? ((requests / total) * 100).toFixed(2) : '0';
      return `${name} got ${got} % of the requests (${(route.basisPoints?.[name] ?? 0) / 100} % asked)`;
    })
    .join(', ');
}

function mirrorText({ copied, dropped, answered, failed, compared, differed }: Mirror): string {
  const parts = [`${copied} copies sent`, `${dropped} dropped`, `${answered} answered`, `${failed} failed`];
  if (compared > 0) parts.push(`${differed} of ${compared} answers differ`);
  return `${parts.join(', ')}; none reached a client`;
}

type Mirror = NonNullable<NonNullable<GatewaySummary['counts']>['mirror']>;

function rowLabelText(group: Group, transports: boolean): string {
  return `${group.system}, ${placeText(group, transports)}`;
}

function count(value: number | undefined): string {
  return value === undefined ? DASH : Math.round(value).toLocaleString('en-US');
}

const DASH = '–';
