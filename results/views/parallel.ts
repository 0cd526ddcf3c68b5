import { formatDuration, formatSize } from '../units.js';
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
    const split = groups.filter((group) => group.summaries.some(({ parts }) => parts));
    if (split.length === 0) return undefined;
    return [
      { kind: 'heading', text: 'Split models' },
      table(split, manyTransports(groups)),
      { kind: 'list', items: split.map((group) => finding(group, wholeBeside(group, groups), manyTransports(groups))) },
    ];
  },
};

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
    if (!same || other.summaries.some(({ parts }) => parts)) return false;
    const ownRows = meanRows(other);
    return rows !== undefined && ownRows !== undefined && Math.abs(ownRows / rows - 1) < 0.1;
  });
}

function finding(group: Group, whole: Group | undefined, several: boolean): string {
  const place = `${rowLabel(group, several)}, ${placeText(group, several)}`;
  const wholeNs = whole && computeOf(whole);
  const [makespan, compute, workers] = ['makespan', 'compute', 'workers'].map((name) => partOf(group, name));
  if (!makespan || !compute || !workers) return `${place}: the server told no parts.`;
  const handOver = partOf(group, 'hand-over') ?? 0;
  const reduction = partOf(group, 'reduction') ?? partOf(group, 'split and join') ?? 0;
  const waiting = Math.max(0, makespan - compute / workers - handOver - reduction);
  const share = (ns: number) => percentText(ns / makespan);
  const shares = `Compute ${share(compute / workers)} of an execution, hand-over ${share(handOver)}, reduction or joining ${share(reduction)}, waiting for one another ${share(waiting)}`;
  if (!whole || !wholeNs)
    return `${place}: ${shares}. No system with the whole model and such batches to compare with.`;
  const speedUp = wholeNs / makespan;
  const costs = [
    {
      ns: (compute - wholeNs) / workers,
      what: `the same work takes ${(compute / wholeNs).toFixed(2)}× the compute time of ${whole.system} (shared memory bandwidth, processors or smaller matrices)`,
    },
    { ns: handOver, what: 'hand-over between threads' },
    { ns: reduction, what: 'reducing or joining on the host' },
    { ns: waiting, what: 'workers waiting for one another (bubbles, uneven parts, work that is not split)' },
  ].sort((a, b) => b.ns - a.ns);
  const verdict = speedUp >= 1 ? `${speedUp.toFixed(2)}× as fast as` : `slower than (${speedUp.toFixed(2)}×)`;
  return `${place}: ${verdict} ${whole.system}, of ${workers}× at best; most is lost to ${costs[0]!.what}. ${shares}.`;
}

function partOf(group: Group, name: string): number | undefined {
  return merge(group, { pick: ({ parts }) => parts?.find((part) => part.name === name)?.mean ?? null })?.value;
}

function computeOf(group: Group): number | undefined {
  return merge(group, {
    pick: ({ components }) => components.find(({ name }) => name === 'computeInfer')?.latencyNs.mean ?? null,
  })?.value;
}

function meanRows(group: Group): number | undefined {
  return merge(group, { pick: ({ meanBatch }) => meanBatch })?.value;
}
