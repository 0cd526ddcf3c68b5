import { counterAt, type Readings, type Series, type Span } from './readings.js';
import type { EnergyUsage } from './summary.js';

/** The series of a device's cumulative energy counter, in joules. */
const ENERGY = 'energy';

/**
 * What the devices used over the window, by their cumulative counters at its edges, less what they use idle. Never power
 * samples × time: on some devices a sample covers a quarter of its period (METHOD.md). A device without a counter is null and
 * says why; without an idle measurement the gross figure stands alone.
 */
export function energyUsage(readings: Readings, window: Span, answered: number): EnergyUsage[] {
  return readings.find({ metric: ENERGY }).map((series) => ofDevice(readings, series, window, answered));
}

function ofDevice(readings: Readings, series: Series, window: Span, answered: number): EnergyUsage {
  const { subject } = series;
  const used = growth(readings, series, window);
  const absent = { subject, idleWatts: null, netJoules: null, joulesPerRequest: null };
  if (typeof used === 'string') return { ...absent, joules: null, reason: used };
  const idle = readings.idle;
  const idleJoules = idle ? growth(readings, series, idle) : 'idle power was not measured before the load';
  if (!idle || typeof idleJoules === 'string') return { ...absent, joules: used, reason: String(idleJoules) };
  const idleWatts = idleJoules / seconds(idle);
  // Signed: a load so light that it drowns in the idle power's own changes must look like one.
  const netJoules = used - idleWatts * seconds(window);
  const reason = answered === 0 ? { reason: 'no request was answered' } : {};
  return {
    subject,
    joules: used,
    idleWatts,
    netJoules,
    joulesPerRequest: answered > 0 ? netJoules / answered : null,
    ...reason,
  };
}

/** Between the span's edges, or why that can't be told. */
function growth(readings: Readings, series: Series, { fromNs, toNs }: Span): number | string {
  const points = readings.points(series);
  const gap = points.find(({ atNs, value }) => value === null && atNs >= fromNs && atNs <= toNs);
  const first = counterAt(points, fromNs);
  const last = counterAt(points, toNs);
  if (first.value === null || last.value === null)
    return gap?.reason ?? points.find(({ reason }) => reason)?.reason ?? first.reason ?? last.reason ?? 'no reading';
  return last.value < first.value ? 'the energy counter was set back' : last.value - first.value;
}

function seconds({ fromNs, toNs }: Span): number {
  return (toNs - fromNs) / 1e9;
}
