import type { Block, Cell, ViewDefinition } from './contract.js';
import { type Figure, latency, merge, throughput } from './support/figures.js';
import { comparedGroups, type Group, simulatedGroups } from './support/groups.js';
import { traced } from './support/text.js';

/** What the simulator said of the same trials, and how far off it was. Absent where only one kind of trial was run. */
export const simulation: ViewDefinition = {
  name: 'simulation',
  summary: 'Simulated results beside the measured ones, with their error',
  render({ run }) {
    const twins = simulatedGroups(run);
    const pairs = comparedGroups(run).flatMap((measured) => {
      const simulated = twins.find((each) => isTwin(measured, each));
      return simulated && measured.summaries.length > 0 ? [{ measured, simulated }] : [];
    });
    if (pairs.length === 0) return undefined;
    const text =
      'The simulator runs the same strategies on a cost table in virtual time. Sockets, parsing and the operating system’s scheduler are in it as far as a capacity probe of a serial system measured them in the same run; without one they are left out. What it misses are bursts of slow executions.';
    return [
      { kind: 'heading', text: 'Measured and simulated' },
      { kind: 'text', text },
      ...[latency('p50'), latency('p99'), throughput].map((figure) => table(figure, pairs)),
    ];
  },
};

interface Pair {
  readonly measured: Group;
  readonly simulated: Group;
}

function isTwin(measured: Group, other: Group): boolean {
  const { system, load, transport, simulated } = measured;
  return (
    !simulated && other.simulated && other.system === system && other.load === load && other.transport === transport
  );
}

function table(figure: Figure, pairs: readonly Pair[]): Block {
  const columns = ['system', 'load', 'transport'].map((title) => ({ title, align: 'left' }) as const);
  const numbers = ['measured', 'simulated', 'error'].map((title) => ({ title, align: 'right' }) as const);
  return {
    kind: 'table',
    caption: `${figure.name.charAt(0).toUpperCase()}${figure.name.slice(1)}, measured and simulated`,
    columns: [...columns, ...numbers],
    rows: pairs.map(({ measured, simulated }): Cell[] => {
      const [real, virtual] = [merge(measured, figure), merge(simulated, figure)];
      const error = real && virtual && real.value !== 0 ? virtual.value / real.value - 1 : undefined;
      return [
        ...[measured.system, measured.load, measured.transport],
        traced(real ? figure.format(real.value) : { text: '–', mark: 'dim' }, measured),
        traced(virtual ? figure.format(virtual.value) : { text: '–', mark: 'dim' }, simulated),
        traced(
          error === undefined
            ? { text: '–', mark: 'dim' }
            : `${error < 0 ? '−' : '+'}${Math.abs(100 * error).toFixed(0)} %`,
          measured,
          simulated,
        ),
      ];
    }),
  };
}
