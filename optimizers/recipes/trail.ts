import { formatDuration, formatSize } from '../../results/units.js';
import type { AccuracyMetric, Judgement } from './gate.js';
import type { Latency } from './latency.js';

/** What became of each pass (recipe) or of each combination (search), judged one by one; plain data, stored with the variant. */
export interface RecipeTrail {
  readonly schema: 1;
  readonly kind: 'recipe' | 'search';
  /** Least accuracy, as a share of the reference's. */
  readonly gate: number;
  readonly metric: AccuracyMetric;
  readonly judgedOn: { readonly name: string; readonly sha256: string; readonly count: number };
  /** The reference first. */
  readonly rows: readonly TrailRow[];
  /** What a reader must know about how the figures came about. */
  readonly notes: readonly string[];
  readonly seconds: number;
}

export interface TrailRow {
  /** Passes with their options, as they would be given. */
  readonly passes: readonly string[];
  /** `broke`: below the gate. `refused`: the pass can do nothing with this model. `chosen`: of a search. */
  readonly outcome: 'reference' | 'kept' | 'broke' | 'refused' | 'chosen';
  /** Why it was refused. */
  readonly reason: string | null;
  readonly accuracy: Judgement | null;
  /** Beside the reference; null where it was refused. */
  readonly latency: Latency | null;
}

const HEAD = ['passes', 'outcome', 'bytes', 'accuracy', 'of reference', 'b=1 p50', 'b=1 p90', 'speed-up'] as const;

/** The table's head and its cells, as text. In a recipe a row stands for all that was kept before it, and its own pass. */
export function trailRows({ kind, rows }: RecipeTrail): {
  readonly head: readonly string[];
  readonly cells: string[][];
} {
  const cells = rows.map(({ passes, outcome, reason, accuracy, latency }) => [
    passes.length === 0 ? 'reference' : kind === 'recipe' ? `+ ${passes.at(-1)}` : passes.join(' → '),
    reason === null ? outcome : `${outcome}: ${reason}`,
    latency ? formatSize(latency.bytes) : '–',
    accuracy ? accuracyText(accuracy) : '–',
    accuracy ? percent(accuracy.ofReference) : '–',
    latency ? formatDuration(latency.medianNs) : '–',
    latency ? formatDuration(latency.p90Ns) : '–',
    latency ? `${latency.speedUp.toFixed(2)}×` : '–',
  ]);
  return { head: HEAD, cells };
}

export function trailMarkdown(trail: RecipeTrail): string {
  const { head, cells } = trailRows(trail);
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = [line(head), line(head.map(() => '---')), ...cells.map(line)];
  const { gate, metric, judgedOn } = trail;
  const rule = `Gate: ${metric} of at least ${percent(gate)} of the reference’s, on ${judgedOn.count} samples of \`${judgedOn.name}\`.`;
  return [rule, lines.join('\n'), ...trail.notes.map((note) => `- ${note}.`)].join('\n\n');
}

function accuracyText({ value, interval }: Judgement): string {
  if (interval === null) return value.toFixed(5);
  return `${percent(value)} (${(100 * interval.low).toFixed(1)}–${(100 * interval.high).toFixed(1)})`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
