import type { Readings, Series } from '../readings.js';

/** What a series said within the last second: a gauge its newest value, a counter its growth a second. */
export interface RecentReading {
  readonly series: Series;
  readonly value: number;
}

const SPAN_NS = 1e9;

/** For displays while a trial goes on. Reads back from the newest row only as far as a second reaches: some 20 µs. */
export function recentReadings(readings: Readings): RecentReading[] {
  const newest = readings.atNs[readings.length - 1] ?? 0;
  const found = new Map<number, { readonly last: number; readonly lastNs: number; first: number; firstNs: number }>();
  for (let row = readings.length - 1; row >= 0 && newest - readings.atNs[row]! <= SPAN_NS; row--) {
    const [value, atNs, series] = [readings.value[row]!, readings.atNs[row]!, readings.seriesOf[row]!];
    if (Number.isNaN(value)) continue;
    const known = found.get(series);
    if (known) Object.assign(known, { first: value, firstNs: atNs });
    else found.set(series, { last: value, lastNs: atNs, first: value, firstNs: atNs });
  }
  return [...found].flatMap(([number, { last, lastNs, first, firstNs }]): RecentReading[] => {
    const series = readings.series[number]!;
    if (series.kind === 'gauge') return [{ series, value: last }];
    return lastNs > firstNs && last >= first ? [{ series, value: ((last - first) * 1e9) / (lastNs - firstNs) }] : [];
  });
}
