import type { ComponentSummary, TrialSummary } from '../summary.js';
import { formatDuration } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { CHART_WIDTH, chart, chartName, componentColour } from './support/charts.js';
import { type Merged, merge } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, percentText, rangeText, rowLabel, traced } from './support/text.js';

/** Below this share of the end-to-end time the components do not explain a request. */
const CLOSURE = 0.98;

const NETWORK =
  '`network` is a difference of two measured times: what the client waited between its last byte and the first of the answer, less what the server says it had the request. It is the wire, the kernels and the event loops of both ends, and negative where the server read while the client still sent. `closure` counts it; `closure without network` does not.';

/** Where a request's time went. Absent where no server told. */
export const components: ViewDefinition = {
  name: 'components',
  summary: 'Where the time of a request went: mean stacks, percentiles, closure, and what grows in the tail',
  render({ run }) {
    const groups = comparedGroups(run).filter((group) => namesOf(group).length > 0);
    if (groups.length === 0) return undefined;
    const several = manyTransports(groups);
    const loads = [...groupBy(groups, (group) => group.load)];
    return [
      { kind: 'heading', text: 'Where the time goes' },
      {
        kind: 'text',
        text: 'Means add up, so the stacks show means. `residual` is what the components leave of the end-to-end time; it may be negative. *Grows in the tail* names the component that grows most in the slowest 1 %.'.replaceAll(
          '*',
          '',
        ),
      },
      ...(groups.some(hasNetwork) ? [{ kind: 'text', text: NETWORK } as const] : []),
      ...loads.map(([load, list]) => stack(load, list, several)),
      ...loads.map(([load, list]) => table(load, list, several)),
    ];
  },
};

function stack(load: string, groups: readonly Group[], several: boolean): Block {
  const names = [...new Set(groups.flatMap(namesOf))];
  const values = groups.flatMap((group) =>
    names.flatMap((component, order) => {
      const mean = componentFigure(group, component, ({ latencyNs }) => latencyNs.mean);
      return mean ? [{ label: rowLabel(group, several), component, order, ms: mean.value / 1e6 }] : [];
    }),
  );
  return {
    kind: 'chart',
    name: chartName('components', load),
    caption: `Mean time of a request by component: ${load}`,
    spec: chart({
      width: CHART_WIDTH - 60,
      height: { step: 24 },
      data: { values },
      mark: { type: 'bar' },
      encoding: {
        y: {
          field: 'label',
          type: 'nominal',
          title: null,
          axis: { labelLimit: 0 },
          sort: groups.map((group) => rowLabel(group, several)),
        },
        x: { field: 'ms', type: 'quantitative', title: 'mean (ms)', axis: { tickCount: 5 } },
        order: { field: 'order', type: 'ordinal' },
        color: componentColour(names),
      },
    }),
  };
}

function table(load: string, groups: readonly Group[], several: boolean): Block {
  const names = [...new Set(groups.flatMap(namesOf))];
  const closures = groups.some(hasNetwork) ? [closureOf, closureWithoutNetworkOf] : [closureOf];
  const titles = [...names, ...['closure', 'closure without network'].slice(0, closures.length), 'grows in the tail'];
  return {
    kind: 'table',
    caption: `Components under ${load}: p50 / p99`,
    columns: [{ title: 'system', align: 'left' }, ...titles.map((title) => ({ title, align: 'right' }) as const)],
    rows: groups.map((group): Cell[] => [
      rowLabel(group, several),
      ...[
        ...names.map((name) => percentilesCell(group, name)),
        ...closures.map((pick) => closureCell(group, pick)),
        growing(group),
      ].map((cell) => traced(cell, group)),
    ]),
  };
}

function percentilesCell(group: Group, name: string): Cell {
  const p50 = componentFigure(group, name, ({ latencyNs }) => latencyNs.p50.value);
  const p99 = componentFigure(group, name, ({ latencyNs }) => latencyNs.p99.value);
  if (!p50) return { text: '–', mark: 'dim' };
  return p99 ? rangeText(p50.value, p99.value, formatDuration, ' / ') : `${formatDuration(p50.value)} / –`;
}

function hasNetwork(group: Group): boolean {
  return namesOf(group).includes('network');
}

function closureOf(summary: TrialSummary): number | null {
  return summary.closure;
}

/** One that knows no network never counted it. */
function closureWithoutNetworkOf({ closureWithoutNetwork, closure }: TrialSummary): number | null {
  return closureWithoutNetwork === undefined ? closure : closureWithoutNetwork;
}

function closureCell(group: Group, pick: (summary: TrialSummary) => number | null): Cell {
  const closure = merge(group, { pick });
  if (!closure) return { text: '–', mark: 'dim' };
  return { text: percentText(closure.value), mark: pick === closureOf && closure.value < CLOSURE ? 'bad' : undefined };
}

/** `queue (+12 ms)`: tail mean − overall mean is largest for it. */
function growing(group: Group): Cell {
  const growth = namesOf(group).flatMap((name) => {
    const more = componentFigure(group, name, ({ tailMeanNs, latencyNs: { mean } }) =>
      tailMeanNs === null || mean === null ? null : tailMeanNs - mean,
    );
    return more ? [{ name, ns: more.value }] : [];
  });
  const most = growth.sort((a, b) => b.ns - a.ns)[0];
  return most && most.ns > 0 ? `${most.name} (+${formatDuration(most.ns)})` : { text: '–', mark: 'dim' };
}

function componentFigure(
  group: Group,
  name: string,
  pick: (component: ComponentSummary) => number | null,
): Merged | undefined {
  return merge(group, {
    pick: (summary) => {
      const component = summary.components.find((each) => each.name === name);
      return component ? pick(component) : null;
    },
  });
}

/** In the order of a request's way. */
function namesOf(group: Group): string[] {
  return [...new Set(group.summaries.flatMap((summary) => summary.components.map((component) => component.name)))];
}
