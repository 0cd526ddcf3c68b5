import { nowNs } from '../../../results/clock.js';
import type { Monitor, MonitorDefinition } from '../../../results/monitors/contract.js';
import { type Point, Readings } from '../../../results/readings.js';

/** A monitor at work outside a trial, with what it wrote. */
export interface Watched {
  readonly monitor: Monitor;
  readonly readings: Readings;
  readonly failures: string[];
  /** The values of a series; its gaps as their reasons. */
  values(subject: string, metric: string): (number | string)[];
}

export async function watched(
  definition: MonitorDefinition,
  options: Record<string, unknown> = {},
  periodMs = 1000,
): Promise<Watched> {
  const readings = new Readings();
  const failures: string[] = [];
  const monitor = await definition.start({
    options: definition.options.parse(options),
    periodMs,
    series(subject, metric, unit, kind) {
      const number = readings.open({ source: definition.name, subject, metric, unit, kind });
      return (value, reason) => readings.add(number, nowNs(), value, reason);
    },
    failed: (reason) => void failures.push(reason),
    charged: (work) => work(),
  });
  return {
    monitor,
    readings,
    failures,
    values(subject, metric) {
      const [series] = readings.find({ subject, metric });
      const points: Point[] = series ? readings.points(series) : [];
      return points.map(({ value, reason }) => value ?? reason ?? 'no reason');
    },
  };
}
