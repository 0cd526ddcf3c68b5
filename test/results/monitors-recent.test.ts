import { expect, test } from 'vitest';
import { recentReadings } from '../../results/monitors/recent.js';
import { Readings } from '../../results/readings.js';

test('of the last second a counter tells its growth, a gauge its newest value; gaps and older rows do not count', () => {
  const readings = new Readings();
  const cpu = readings.open({ source: 'proc', subject: 'server', metric: 'cpu', unit: 's', kind: 'counter' });
  const rss = readings.open({ source: 'proc', subject: 'server', metric: 'rss', unit: 'bytes', kind: 'gauge' });
  readings.add(cpu, 0, 100);
  for (let i = 0; i <= 10; i++) readings.add(cpu, 5e9 + i * 100e6, 200 + i * 0.05);
  readings.add(rss, 5.9e9, 7e6);
  readings.add(rss, 6e9, null, 'gone');
  const [memory, cores] = recentReadings(readings).sort((a, b) => b.value - a.value);
  expect(cores!.series.metric).toBe('cpu');
  expect(cores!.value).toBeCloseTo(0.5, 6);
  expect(memory).toMatchObject({ series: { metric: 'rss' }, value: 7e6 });
  expect(recentReadings(new Readings())).toEqual([]);
});
