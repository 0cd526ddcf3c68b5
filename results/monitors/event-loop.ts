import { z } from 'zod';
import type { EventLoopFigures, MonitorDefinition, Writer } from './contract.js';

/**
 * Delay and utilisation of the event loops of our own processes, which tell them themselves (event-loop.ts in results): from
 * outside they can't be seen. Processes that are not ours have none.
 */
export const eventLoop = {
  name: 'event-loop',
  summary: 'event-loop delay and utilisation of our own server and load processes, told by themselves',
  options: z.strictObject({}),
  byDefault: true,
  unavailable: () => undefined,
  start({ series }) {
    const writers = new Map<string, (figures: EventLoopFigures) => void>();
    return {
      hear(role, figures) {
        const write = writers.get(role) ?? writersOf(role, series);
        writers.set(role, write);
        write(figures);
      },
      stop: () => ({}),
    };
  },
} as const satisfies MonitorDefinition;

function writersOf(
  role: string,
  series: (subject: string, metric: string, unit: string, kind: 'gauge') => Writer,
): (figures: EventLoopFigures) => void {
  const utilization = series(role, 'eventLoopUtilization', '%', 'gauge');
  const mean = series(role, 'eventLoopDelayMean', 'ns', 'gauge');
  const max = series(role, 'eventLoopDelayMax', 'ns', 'gauge');
  return (figures) => {
    utilization(100 * figures.utilization);
    mean(figures.delayMeanNs);
    max(figures.delayMaxNs);
  };
}
