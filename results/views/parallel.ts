import { formatDuration, formatSize, significant } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { merge } from './support/figures.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, percentText, placeText, rowLabel, traced } from './support/text.js';

/** What executions of split models were made of, and why they win or do not. Absent where no system has a parallel runtime. */
export const parallel: ViewDefinition = {
  name: 'parallel',
  summary: 'Split models: compute, hand-over, reduction and bytes of an execution, and what they gain beside the whole',
  render({ run }) {
    const groups = comparedGroups(run);
    const split = groups.filter(isParallel);
    if (split.length === 0) return undefined;
    return [
      { kind: 'heading', text: 'Split models' },
      table(split, manyTransports(groups)),
      { kind: 'list', items: split.map((group) => finding(group, wholeBeside(group, groups), manyTransports(groups))) },
    ];
  },
};

/** Its executions were spread over workers: other executions have parts too. */
function isParallel({ summaries }: Group): boolean {
  return summaries.some(({ parts }) => parts?.some(({ name }) => name === 'workers'));
}

function table(split: readonly Group[], several: boolean): Block {
  const units = new Map(
    split.flatMap(({ summaries }) =>
      summaries.flatMap(({ parts = [] }) => parts.map(({ name, unit }) => [name, unit] as const)),
    ),
  );
  const names = [...units.keys()];
  const format = (name: string, value: number): string => {
    const unit = units.get(name);
    if (unit === 'ns') return formatDuration(value);
    return unit === 'bytes' ? formatSize(value) : value.toFixed(value % 1 === 0 ? 0 : 2);
  };
  return {
    kind: 'table',
    caption: 'An execution, in the mean (median over repeats)',
    columns: ['system', 'load', ...names].map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' }) as const),
    rows: split.map((group): Cell[] => [
      rowLabel(group, several),
      group.load,
      ...names.map((name): Cell => {
        const value = partOf(group, name);
        return traced(value === undefined ? { text: '–', mark: 'dim' } : format(name, value), group);
      }),
    ]),
  };
}

/** The first system under the same load whose model is not split, and whose executions held as many rows. */
function wholeBeside(group: Group, groups: readonly Group[]): Group | undefined {
  const rows = meanRows(group);
  return groups.find((other) => {
    const same = other.load === group.load && other.transport === group.transport && other.summaries.length > 0;
    if (!same || isParallel(other)) return false;
    const ownRows = meanRows(other);
    return rows !== undefined && ownRows !== undefined && Math.abs(ownRows / rows - 1) < 0.1;
  });
}

function finding(group: Group, whole: Group | undefined, several: boolean): string {
  const place = `${rowLabel(group, several)}, ${placeText(group, several)}`;
  const split = splitOf(group);
  if (!split) return `${place}: the server told no parts.`;
  const wholeNs = whole && executionOf(whole);
  const share = (ns: number) => percentText(ns / split.makespan);
  const shares = `Compute ${share(split.compute / split.workers)} of an execution, hand-over ${share(split.handOver)}, reduction or joining ${share(split.reduction)}, waiting for one another ${share(split.waiting)}`;
  const facts = [
    bubbleText(group, split),
    bytesText(group),
    whole && wholeNs ? weightsText(group, split, whole, wholeNs) : undefined,
  ];
  const told = [`${shares}.`, ...facts.filter((fact) => fact !== undefined)].join(' ');
  if (!whole || !wholeNs) return `${place}: ${told} No system with the whole model and such batches to compare with.`;
  return `${place}: ${verdict(split, whole, wholeNs)} ${told}`;
}

interface Split {
  readonly makespan: number;
  /** Summed over workers. */
  readonly compute: number;
  readonly workers: number;
  readonly handOver: number;
  readonly reduction: number;
  readonly waiting: number;
}

/** In ns of an execution. */
function splitOf(group: Group): Split | undefined {
  const [makespan, compute, workers] = ['makespan', 'compute', 'workers'].map((name) => partOf(group, name));
  if (!makespan || !compute || !workers) return undefined;
  const handOver = partOf(group, 'hand-over') ?? 0;
  const reduction = partOf(group, 'reduction') ?? partOf(group, 'split and join') ?? 0;
  const waiting = Math.max(0, makespan - compute / workers - handOver - reduction);
  return { makespan, compute, workers, handOver, reduction, waiting };
}

function verdict({ makespan, compute, workers, handOver, reduction, waiting }: Split, whole: Group, wholeNs: number) {
  const speedUp = wholeNs / makespan;
  const growth = compute / wholeNs;
  const costs = [
    {
      ns: (compute - wholeNs) / workers,
      what: `the same work takes ${growth.toFixed(2)}× the compute time of ${whole.system} (shared memory bandwidth, processors or smaller matrices)`,
    },
    { ns: handOver, what: 'hand-over between threads' },
    { ns: reduction, what: 'reducing or joining on the host' },
    { ns: waiting, what: 'workers waiting for one another (bubbles, uneven parts, work that is not split)' },
  ].sort((a, b) => b.ns - a.ns);
  const how = speedUp >= 1 ? `${speedUp.toFixed(2)}× as fast as` : `slower than (${speedUp.toFixed(2)}×)`;
  return `${how} ${whole.system}, of ${workers}× at best; most is lost to ${costs[0]!.what}.`;
}

/** Of a pipeline: what filling and draining cost by the formula, and what its own stages would take with nothing lost between. */
function bubbleText(group: Group, { makespan, workers }: Split): string | undefined {
  const m = partOf(group, 'micro-batches');
  const stages = stagesOf(group);
  if (!m || stages.length < 2) return undefined;
  const p = stages.length;
  const bubble = `Bubble: ${countText(m)} micro-batches in ${p} even stages take (m + p − 1) / m = ${((m + p - 1) / m).toFixed(2)}× a stage's share`;
  if (workers !== p) return `${bubble}, with one worker a stage.`;
  const ideal = (stages.reduce((sum, ns) => sum + ns, 0) + (m - 1) * Math.max(...stages)) / m;
  return `${bubble}; the stages as they were, with nothing lost between, ${formatDuration(ideal)} of the ${formatDuration(makespan)}.`;
}

function bytesText(group: Group): string | undefined {
  const formula = partOf(group, 'bytes by formula');
  const counted = ['bytes handed over', 'bytes scattered', 'bytes gathered'].map((name) => partOf(group, name) ?? 0);
  const bytes = counted.reduce((sum, value) => sum + value, 0);
  if (formula === undefined) return undefined;
  const same = Math.abs(bytes - formula) < 1e-6 * formula;
  const tells = same ? 'as many as the formula tells' : `the formula tells ${formatSize(formula)}`;
  return `Communicated: ${formatSize(bytes)}, ${tells}.`;
}

/** Weights over compute time: where two read hardly faster than one, they wait for the same memory. */
function weightsText(group: Group, { compute, workers }: Split, whole: Group, wholeNs: number): string | undefined {
  const read = partOf(group, 'weights read');
  if (!read) return undefined;
  const micro = partOf(group, 'micro-batches') ?? 1;
  const [alone, together] = [read / micro / wholeNs, (read / compute) * workers];
  const again = micro > 1 ? ` (anew for each of ${countText(micro)} micro-batches)` : '';
  return `Weights: ${whole.system} reads ${formatSize(read / micro)} at ${alone.toFixed(1)} GB/s, the ${workers} workers ${formatSize(read)}${again} at ${together.toFixed(1)} GB/s together while they compute.`;
}

/** Whole where every execution had as many. */
function countText(mean: number): string {
  return Number.isInteger(mean) ? String(mean) : significant(mean);
}

function stagesOf(group: Group): number[] {
  const names = new Set(group.summaries.flatMap(({ parts = [] }) => parts.map(({ name }) => name)));
  return [...names].filter((name) => /^stage \d+( on CPU |$)/.test(name)).map((name) => partOf(group, name) ?? 0);
}

function partOf(group: Group, name: string): number | undefined {
  return merge(group, { pick: ({ parts }) => parts?.find((part) => part.name === name)?.mean ?? null })?.value;
}

/**
 * Of one execution in the mean, each counted once: the mean over requests would count an execution of 32 rows 32 times, and
 * be no match for the parts, which are means over executions.
 */
function executionOf(group: Group): number | undefined {
  return merge(group, {
    pick: ({ busyNs, batches }) => {
      const executions = batches.reduce((sum, { count }) => sum + count, 0);
      return busyNs && executions > 0 ? busyNs / executions : null;
    },
  })?.value;
}

function meanRows(group: Group): number | undefined {
  return merge(group, { pick: ({ meanBatch }) => meanBatch })?.value;
}
