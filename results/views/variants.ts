import { formatSize } from '../units.js';
import type { Cell, ViewDefinition } from './contract.js';
import { percentText, ratioText } from './support/text.js';
import { type Measured, type VariantRow, type VariantTable, variantTable } from './support/variants.js';

/** What cheaper variants of a model cost in accuracy and save in bytes and time. */
export const variants: ViewDefinition = {
  name: 'variants',
  summary: 'Models that systems serve: bytes, accuracy, latency, throughput, beside the reference',
  render(input) {
    const table = variantTable(input);
    if (!table) return undefined;
    const { reference, latencyLoad, throughputLoad } = table;
    const several = input.run.plan.transports.length > 1;
    const target = input.run.plan.targets.relativeAccuracy;
    const titles = [
      ...['bytes', `× ${reference}`, 'accuracy', '95 % interval', `of ${reference}'s`],
      ...[`${table.latency.name}, ${latencyLoad}`, `× ${reference}`, `throughput, ${throughputLoad}`, `× ${reference}`],
    ];
    return [
      { kind: 'heading', text: 'Variants of the model' },
      {
        kind: 'table',
        caption: `Ratios to ${reference}, of runs interleaved with its own, with 95 % intervals${target ? `; accuracy is to be at least ${percentText(target.share)} of ${target.system}'s` : ''}`,
        columns: [
          { title: 'system', align: 'left' },
          { title: 'made by', align: 'left' },
          ...titles.map((title) => ({ title, align: 'right' }) as const),
          { title: 'standing', align: 'left' },
        ],
        rows: table.rows.map((row) => cells(row, table, several)),
      },
      {
        kind: 'text',
        text: `Accuracy over the same samples for all: the interval of a share of ${reference}'s is that of matched pairs, narrower than the two Wilson intervals. Dominated: another variant that meets the accuracy target is in latency, throughput, bytes and accuracy no worse, and in one of them better, by the medians. Grey: below the accuracy target, never best.`,
      },
    ];
  },
};

function cells(row: VariantRow, { rows, reference, latency }: VariantTable, several: boolean): Cell[] {
  const { system, accuracy, kept } = row;
  const judged = accuracy?.accuracy;
  const base = rows.find((each) => each.system.name === reference)!.system.model!.bytes;
  const trials = accuracy ? [accuracy.trial.id] : [];
  const texts: Cell[] = [
    several ? `${system.name} · ${row.transport}` : system.name,
    system.model!.passes.join(', then ') || 'as given',
    formatSize(system.model!.bytes),
    ratioText(system.model!.bytes / base),
    judged ? { text: percentText(judged.value, 2), trials } : '–',
    judged ? { text: `${percentText(judged.interval.low, 1)} – ${percentText(judged.interval.high, 1)}`, trials } : '–',
    kept ? { text: row.isReference ? '100 %' : keptText(kept), trials } : '–',
    ...measured(row.latency, latency.format, row.isReference),
    ...measured(row.throughput, (value) => `${Math.round(value).toLocaleString('en-US')}/s`, row.isReference),
    standing(row),
  ];
  return row.isBarred ? texts.map(dimmed) : texts;
}

function keptText({ ratio, interval }: NonNullable<VariantRow['kept']>): string {
  const range = interval ? ` (${(100 * interval.low).toFixed(1)}–${(100 * interval.high).toFixed(1)})` : '';
  return `${percentText(ratio, 1)}${range}`;
}

function measured(figure: Measured | undefined, format: (value: number) => string, isReference: boolean): Cell[] {
  if (!figure) return ['–', '–'];
  const trials = figure.group.summaries.map(({ trial }) => trial.id);
  const { ratio, interval } = figure.ratio;
  const range = interval ? ` (${ratioText(interval.low)}–${ratioText(interval.high)})` : '';
  const caution = figure.group.invalid > 0 ? ' ⚠' : '';
  return [
    { text: `${format(figure.merged.value)}${caution}`, trials },
    { text: isReference ? '1' : ratio === null ? '–' : `${ratioText(ratio)}${range}`, trials },
  ];
}

function standing({ isReference, isBarred, dominatedBy }: VariantRow): string {
  const parts = [
    ...(isReference ? ['reference'] : []),
    ...(isBarred ? ['below the accuracy target'] : []),
    ...(dominatedBy.length > 0 ? [`dominated by ${dominatedBy.join(', ')}`] : []),
  ];
  return parts.join('; ') || 'Pareto-optimal';
}

function dimmed(cell: Cell): Cell {
  return typeof cell === 'string' ? { text: cell, mark: 'dim' } : { ...cell, mark: 'dim' };
}
