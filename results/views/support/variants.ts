import { accuracyMetricNamed } from '../../accuracy/index.js';
import type { PlannedSystem } from '../../run.js';
import { betters, type PairedRatio, type PairedShares, pairedRatio, pairedShares } from '../../stats/index.js';
import type { TrialSummary } from '../../summary.js';
import type { ViewInput } from '../contract.js';
import { accuracyMisses, accuracyTrial, isBarred, judgedSamples } from './accuracy-gate.js';
import { commonTail, type Figure, latency, type Merged, merge, throughput } from './figures.js';
import { comparedGroups, type Group } from './groups.js';

/** One system over one transport as a variant of a model: what it costs and what it keeps. */
export interface VariantRow {
  readonly system: PlannedSystem;
  readonly transport: string;
  readonly latency: Measured | undefined;
  readonly throughput: Measured | undefined;
  readonly accuracy: TrialSummary | undefined;
  /** Against the reference, over the same samples. */
  readonly kept: PairedShares | undefined;
  readonly isReference: boolean;
  /** It misses a target of accuracy. */
  readonly isBarred: boolean;
  /** Systems that are in latency, throughput, bytes and accuracy no worse and in one of them better. */
  readonly dominatedBy: readonly string[];
}

export interface Measured {
  readonly group: Group;
  readonly merged: Merged;
  /** This system / the reference over interleaved pairs. */
  readonly ratio: PairedRatio;
}

export interface VariantTable {
  readonly reference: string;
  readonly latency: Figure;
  readonly latencyLoad: string;
  readonly throughputLoad: string;
  readonly rows: readonly VariantRow[];
}

/** Undefined where the systems serve the same file, or files that nobody knows. */
export function variantTable(input: ViewInput): VariantTable | undefined {
  const { run, seed } = input;
  const { systems, transports, targets, twins } = run.plan;
  const known = systems.filter(({ name, model }) => model && name !== twins?.[1]);
  if (new Set(known.map(({ model }) => model!.sha256)).size < 2) return undefined;
  const groups = comparedGroups(run);
  const timed = loadOf(groups, ['single-stream', 'multi-stream', 'server', 'open', 'closed']);
  const bulk = loadOf(groups, ['offline', 'closed', 'open', 'server', 'single-stream']);
  if (timed === undefined || bulk === undefined) return undefined;
  const reference = targets.relativeAccuracy?.system ?? known[0]!.name;
  const figure =
    timed.loadType === 'single-stream' ? latency('p90') : (commonTail(groups.filter(on(timed.load))) ?? latency('p50'));
  const misses = accuracyMisses(run);
  const rows = transports.flatMap((transport) => {
    const measured = (system: string, load: string, wanted: Figure): Measured | undefined => {
      const find = (name: string) =>
        groups.find((each) => each.system === name && each.load === load && each.transport === transport);
      const [group, other] = [find(system), find(reference)];
      const merged = group && merge(group, wanted);
      return merged && { group, merged, ratio: pairedRatio(...pairsOf(group, other, wanted), seed) };
    };
    const truth = judgedSamples(input, accuracyTrial(run, reference, transport)?.trial.id);
    return known.map((system): Omit<VariantRow, 'dominatedBy'> => {
      const accuracy = accuracyTrial(run, system.name, transport);
      return {
        system,
        transport,
        latency: measured(system.name, timed.load, figure),
        throughput: measured(system.name, bulk.load, throughput),
        accuracy,
        kept: pairedShares(judgedSamples(input, accuracy?.trial.id), truth),
        isReference: system.name === reference,
        isBarred: isBarred({ system: system.name, transport }, misses),
      };
    });
  });
  return {
    reference,
    latency: figure,
    latencyLoad: timed.load,
    throughputLoad: bulk.load,
    rows: rows.map((row) => ({ ...row, dominatedBy: dominators(row, rows) })),
  };
}

function dominators(row: Omit<VariantRow, 'dominatedBy'>, rows: readonly Omit<VariantRow, 'dominatedBy'>[]): string[] {
  const own = figuresOf(row);
  if (own === undefined) return [];
  return rows.flatMap((other) => {
    const figures = other.transport === row.transport && !other.isBarred ? figuresOf(other) : undefined;
    return figures && betters(figures, own) ? [other.system.name] : [];
  });
}

/** Higher is better. Where nobody judged answers, accuracy has no part. Undefined where one of the others is missing. */
function figuresOf({ latency: slow, throughput: fast, system, accuracy }: Omit<VariantRow, 'dominatedBy'>) {
  if (!slow || !fast) return undefined;
  const judged = accuracy?.accuracy;
  const sign = judged && accuracyMetricNamed(judged.metric).lowerIsBetter ? -1 : 1;
  return [-slow.merged.value, fast.merged.value, -system.model!.bytes, judged ? sign * judged.value : 0];
}

/** The first load of the first type that the run has. */
function loadOf(groups: readonly Group[], types: readonly string[]): Group | undefined {
  for (const type of types) {
    const found = groups.find(({ loadType }) => loadType === type);
    if (found) return found;
  }
  return undefined;
}

function on(load: string): (group: Group) => boolean {
  return (group) => group.load === load;
}

function pairsOf(group: Group, other: Group | undefined, figure: Figure): [number[], number[]] {
  const right = new Map((other?.summaries ?? []).map((summary) => [summary.trial.repeat, figure.pick(summary)]));
  const pairs = group.summaries.flatMap((summary) => {
    const [left, found] = [figure.pick(summary), right.get(summary.trial.repeat)];
    return left === null || found === null || found === undefined ? [] : [[left, found] as const];
  });
  return [pairs.map(([left]) => left), pairs.map(([, found]) => found)];
}
