import type { Block, ViewDefinition, ViewInput } from './contract.js';
import { CHART_HEIGHT, CHART_WIDTH, chart, chartName, systemColour } from './support/charts.js';
import { type VariantRow, type VariantTable, variantTable } from './support/variants.js';

/** Variants by what they cost and what they keep, in two pictures of the same points. */
export const pareto: ViewDefinition = {
  name: 'pareto',
  summary: 'Variants: accuracy against latency and throughput, bytes as size; dominated points hollow',
  render(input) {
    const table = variantTable(input);
    if (!table?.rows.some(({ accuracy }) => accuracy?.accuracy)) return undefined;
    const charts = input.run.plan.transports.flatMap((transport) =>
      chartsOf(
        table,
        table.rows.filter((row) => row.transport === transport),
        input,
      ),
    );
    return charts.length === 0 ? undefined : [{ kind: 'heading', text: 'What is worth its price' }, ...charts];
  },
};

function chartsOf(table: VariantTable, rows: readonly VariantRow[], { run }: ViewInput): Block[] {
  const points = rows.flatMap(({ system, latency, throughput, accuracy, isBarred, dominatedBy }) => {
    const judged = accuracy?.accuracy;
    if (!latency || !throughput || !judged) return [];
    return [
      {
        system: system.name,
        latency: latency.merged.value / 1e6,
        throughput: throughput.merged.value,
        accuracy: 100 * judged.value,
        low: 100 * judged.interval.low,
        high: 100 * judged.interval.high,
        bytes: system.model!.bytes,
        hollow: isBarred || dominatedBy.length > 0,
      },
    ];
  });
  if (points.length < 2) return [];
  const { transport } = rows[0]!;
  const several = run.plan.transports.length > 1 ? ` · ${transport}` : '';
  const sides = [
    { field: 'latency' as const, title: `${table.latency.name}, ${table.latencyLoad} (ms)`, better: 'left' },
    { field: 'throughput' as const, title: `throughput, ${table.throughputLoad} (answers/s)`, better: 'right' },
  ];
  return sides.map(({ field, title, better }) => {
    const values = points.map((point) => point[field]);
    const x = {
      field,
      type: 'quantitative' as const,
      title,
      scale: { type: 'log' as const, nice: false, domain: [Math.min(...values) / 1.2, Math.max(...values) * 1.2] },
    };
    const y = {
      field: 'accuracy',
      type: 'quantitative' as const,
      title: 'accuracy (%)',
      scale: { zero: false },
    };
    const color = systemColour(
      run,
      points.map((point) => point.system),
    );
    const size = { field: 'bytes', type: 'quantitative' as const, legend: null, scale: { range: [30, 220] } };
    return {
      kind: 'chart',
      name: chartName('pareto', field, transport),
      caption: `Accuracy against ${field}${several}; the size of a point is the model's, the bar the accuracy's 95 % interval. Up and ${better} is better; hollow: dominated, or below the accuracy target.`,
      spec: chart({
        width: CHART_WIDTH,
        height: CHART_HEIGHT + 40,
        data: { values: points },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 1 },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
          },
          {
            mark: { type: 'point', filled: true, opacity: 1 },
            encoding: { x, y, color, size },
            transform: [{ filter: '!datum.hollow' }],
          },
          {
            mark: { type: 'point', filled: false, opacity: 1 },
            encoding: { x, y, color, size },
            transform: [{ filter: 'datum.hollow' }],
          },
        ],
      }),
    };
  });
}
