import type { TopLevelSpec } from 'vega-lite';
import type { StoredRun } from '../../run.js';
import { COMPONENT_COLOURS, OTHER_COLOUR, SYSTEM_COLOURS } from './palette.js';

/** Charts are small enough to be read at their own size on a phone; formats set them side by side where there is room. */
export const CHART_WIDTH = 330;
export const CHART_HEIGHT = 200;

/** One colour a system, the same in every chart. */
export function systemColour(run: StoredRun, names: readonly string[]) {
  const all = run.plan.systems.map((system) => system.name);
  const domain = all.filter((name) => names.includes(name));
  const range = domain.map((name) => SYSTEM_COLOURS[all.indexOf(name) % SYSTEM_COLOURS.length]!.light);
  return { field: 'system', type: 'nominal' as const, scale: { domain, range }, legend: legend(domain), title: null };
}

/** Past the eighth system colours repeat; the dash tells them apart. */
export function systemDash(run: StoredRun, names: readonly string[]) {
  const all = run.plan.systems.map((system) => system.name);
  const domain = all.filter((name) => names.includes(name));
  const range = domain.map((name) => DASHES[Math.floor(all.indexOf(name) / SYSTEM_COLOURS.length) % DASHES.length]!);
  return { field: 'system', type: 'nominal' as const, scale: { domain, range }, legend: null };
}

export function componentColour(names: readonly string[]) {
  const range = names.map((name) => (COMPONENT_COLOURS[name] ?? OTHER_COLOUR).light);
  return {
    field: 'component',
    type: 'nominal' as const,
    scale: { domain: [...names], range },
    legend: legend(names),
    title: null,
  };
}

/** A name that is a file's name too, different for different parts: `ecdf.half.rest-binary`. */
export function chartName(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .map((part) => part.replaceAll(/[^A-Za-z0-9_-]+/g, '-'))
    .join('.');
}

/** Ticks of a logarithmic axis over these values: decades, with 2 and 5 where there are few, finer where there are fewer. */
export function logAxis(values: readonly number[]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const candidates = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]].map((steps) => ticksBetween(low, high, steps));
  return {
    values: candidates.find((ticks) => ticks.length >= 3) ?? candidates.at(-1)!,
    labelExpr: "format(datum.value, '~r')",
  };
}

/** Identity, so that the literal is checked as a specification. */
export function chart(spec: TopLevelSpec): TopLevelSpec {
  return spec;
}

function ticksBetween(low: number, high: number, steps: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++)
    for (const step of steps) ticks.push(Number((step * 10 ** decade).toPrecision(3)));
  return ticks.filter((tick) => tick >= low && tick <= high);
}

const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
];

/** Below the chart, in as many columns as the labels leave room for; none is cut, because swept systems differ at the end. */
function legend(labels: readonly string[]) {
  const longest = Math.max(4, ...labels.map((label) => label.length));
  const columns = Math.max(1, Math.floor(CHART_WIDTH / (longest * 6 + 24)));
  return { orient: 'bottom' as const, columns, title: null, labelLimit: 0, symbolOpacity: 1 };
}
