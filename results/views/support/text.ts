import type { Cell } from '../contract.js';
import { type Figure, type Merged, merge } from './figures.js';
import type { Group } from './groups.js';

/** Text of unknown origin as a code span, so that it can't be read as markup; without a terminal's colours. */
export function literal(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  const colourless = text.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '');
  return `\`${colourless.replaceAll('`', "'").replaceAll(/\s+/g, ' ').trim()}\``;
}

/** `system`, or `system over transport` where there are several transports, marked where it is simulated. */
export function rowLabel(group: Group, manyTransports: boolean): string {
  const simulated = group.simulated ? ' (simulated)' : '';
  return manyTransports ? `${group.system} · ${group.transport}${simulated}` : `${group.system}${simulated}`;
}

export function manyTransports(groups: readonly Group[]): boolean {
  return new Set(groups.map((group) => group.transport)).size > 1;
}

/** `1.2 ms (1.1 ms – 1.4 ms)`: median and range over repeats; one repeat has no range. */
function mergedText(merged: Merged, format: (value: number) => string): string {
  if (merged.n === 1 || merged.low === merged.high) return format(merged.value);
  return `${format(merged.value)} (${rangeText(merged.low, merged.high, format)})`;
}

/** A figure's cell: the number, or why there is none; trials that are INVALID or did not end are named in it. */
export function figureCell(group: Group | undefined, figure: Figure, mark?: 'good' | 'dim' | undefined): Cell {
  if (group === undefined) return { text: '–', mark: 'dim' };
  const merged = merge(group, figure);
  const text = merged ? mergedText(merged, figure.format) : (absence(group) ?? 'n too small');
  const caution = cautionText(group);
  const trials = trialsOf(group);
  const short = merged ? figure.format(merged.value) : text;
  if (caution !== '') return { text: `${text} ${caution}`, short: `${short} ⚠`, mark: 'bad', trials };
  return { text, short, mark: merged ? mark : 'dim', trials };
}

/** The cell, traceable to the completed trials of these groups. */
export function traced(cell: Cell, ...groups: readonly (Group | undefined)[]): Cell {
  const trials = groups.flatMap((group) => (group ? trialsOf(group) : []));
  if (trials.length === 0) return cell;
  return typeof cell === 'string' ? { text: cell, trials } : { ...cell, trials };
}

function trialsOf(group: Group): string[] {
  return group.summaries.map(({ trial }) => trial.id);
}

/** `⚠ INVALID`, `⚠ 1 of 3 INVALID`, `⚠ 1 of 3 failed`; empty where all went well. */
export function cautionText(group: Group): string {
  const parts: string[] = [];
  const { invalid, failed } = group;
  const completed = group.summaries.length;
  if (invalid > 0) parts.push(invalid === completed ? '⚠ INVALID' : `⚠ ${invalid} of ${completed} INVALID`);
  if (failed > 0 && completed > 0) parts.push(`⚠ ${failed} of ${completed + failed} failed`);
  return parts.join(' ');
}

/** `failed` or `skipped` where no repeat completed. */
export function absence(group: Group): string | undefined {
  if (group.summaries.length > 0) return undefined;
  return group.failed > 0 ? 'failed' : 'skipped';
}

/** `3 repeats`, `1 repeat`. */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** `0.62`, `1.5`, `12`: two or three digits, as ratios are read. */
export function ratioText(ratio: number): string {
  if (ratio >= 10) return ratio.toFixed(0);
  return ratio.toFixed(ratio < 0.1 ? 3 : 2);
}

/** `98.2 %`. */
export function percentText(fraction: number, digits = 1): string {
  return `${(100 * fraction).toFixed(digits)} %`;
}

/** Two figures with the unit once where they share it: `1.1–1.4 ms`, `7.0 / 118 µs`. */
export function rangeText(low: number, high: number, format: (value: number) => string, between = '–'): string {
  const [left, right] = [format(low), format(high)];
  const unit = /[\s/].*$/.exec(right)?.[0] ?? '';
  const shared = unit !== '' && left.endsWith(unit);
  return `${shared ? left.slice(0, -unit.length) : left}${between}${right}`;
}

/** Where a chart or table was measured: `over · grpc`. */
export function placeText({ load, transport, simulated }: Group, several: boolean): string {
  return `${load}${several ? ` · ${transport}` : ''}${simulated ? ' (simulated)' : ''}`;
}
