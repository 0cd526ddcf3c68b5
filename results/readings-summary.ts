import { counterAt, type Point, type Readings, type Series, type Span } from './readings.js';
import type { ReadingSummary } from './summary.js';

/**
 * Every series over a window: mean, least and most of a gauge, the growth of a counter between the window's edges. What has
 * no value is null and says why.
 */
export function summariseReadings(readings: Readings, window: Span): ReadingSummary[] {
  return readings.series.map((series) =>
    series.kind === 'counter' ? ofCounter(readings, series, window) : ofGauge(readings, series, window),
  );
}

function ofGauge(readings: Readings, series: Series, { fromNs, toNs }: Span): ReadingSummary {
  const points = readings.points(series).filter(({ atNs }) => atNs >= fromNs && atNs <= toNs);
  const values = points.flatMap(({ value }) => value ?? []);
  const common = { ...series, count: values.length, gaps: points.length - values.length };
  if (values.length === 0)
    return {
      ...common,
      mean: null,
      min: null,
      max: null,
      total: null,
      reason: reasonOf(points) ?? reasonOf(readings.points(series)),
    };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const range = { min: values.reduce((a, b) => Math.min(a, b)), max: values.reduce((a, b) => Math.max(a, b)) };
  return { ...common, mean, ...range, total: null };
}

/** `mean` is the growth a second, `total` the growth. */
function ofCounter(readings: Readings, series: Series, { fromNs, toNs }: Span): ReadingSummary {
  const points = readings.points(series);
  const inside = points.filter(({ atNs, value }) => atNs >= fromNs && atNs <= toNs && value !== null);
  const common = { ...series, count: inside.length, gaps: points.filter(({ value }) => value === null).length };
  const first = counterAt(points, fromNs);
  const last = counterAt(points, toNs);
  const absent = { ...common, mean: null, min: null, max: null, total: null };
  if (first.value === null || last.value === null)
    return { ...absent, reason: reasonOf(points) ?? first.reason ?? last.reason };
  if (last.value < first.value) return { ...absent, reason: 'the counter was set back' };
  const total = last.value - first.value;
  return { ...common, mean: total / ((toNs - fromNs) / 1e9), min: null, max: null, total };
}

function reasonOf(points: readonly Point[]): string | undefined {
  return points.find(({ reason }) => reason !== undefined)?.reason;
}
