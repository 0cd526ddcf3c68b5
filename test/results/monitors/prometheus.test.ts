import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { prometheus } from '../../../results/monitors/prometheus.js';
import { parsePrometheus } from '../../../results/monitors/prometheus-text.js';
import { summariseReadings } from '../../../results/readings-summary.js';
import { watched } from './harness.js';

const TRITON = readFileSync('test/fixtures/monitors/triton-metrics.txt', 'utf8');

describe('a page of figures', () => {
  const samples = parsePrometheus(TRITON);
  const kindOf = (name: string) => samples.find((sample) => sample.name === name)?.kind;

  it('is read line by line: names, labels with any character, values', () => {
    expect(samples).toHaveLength(14);
    expect(samples[1]).toEqual({
      name: 'nv_inference_request_success',
      labels: '{model="bert, \\"large\\" {v2}",version="1"}',
      value: 30,
      kind: 'counter',
    });
    expect(samples.at(-1)!.value).toBeNaN();
  });

  it('tells counters from gauges, sums and counts of histograms being counters', () => {
    expect(kindOf('nv_inference_exec_count')).toBe('counter');
    expect(kindOf('nv_inference_pending_request_count')).toBe('gauge');
    expect(kindOf('nv_inference_first_response_histogram_ms_sum')).toBe('counter');
    expect(kindOf('nv_gpu_utilization')).toBe('gauge');
  });

  it('may have time stamps, infinities, no labels and nonsense in it', () => {
    expect(parsePrometheus('# TYPE a_total counter\na_total 3 1700000000000\nb +Inf\n<html>\nc{x="1",} 2\n\n')).toEqual(
      [
        { name: 'a_total', labels: '', value: 3, kind: 'counter' },
        { name: 'b', labels: '', value: Number.POSITIVE_INFINITY, kind: 'gauge' },
        { name: 'c', labels: '{x="1"}', value: 2, kind: 'gauge' },
      ],
    );
  });
});

/** A server whose page is what `page` says; undefined is a 503. */
async function serving(page: () => string | undefined) {
  const server = createServer((_, response) => {
    const text = page();
    response.writeHead(text === undefined ? 503 : 200).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { base, url: `${base}/metrics`, close: () => server.close() };
}

describe('the prometheus monitor', () => {
  it('keeps the wanted metrics as series and tells counters by their growth', async () => {
    let count = 100;
    const { url, close } = await serving(() => {
      count += 50;
      return TRITON.replace('} 310', `} ${count}`);
    });
    const options = { url, metrics: ['nv_inference_exec_count', 'nv_gpu_*'], period: 10, subject: 'triton' };
    const { monitor, readings, values } = await watched(prometheus, options);
    for (let round = 0; round < 3; round++) {
      monitor.sample!();
      await delay(100);
    }
    await monitor.stop();
    close();
    const exec = 'nv_inference_exec_count{model="resnet50",version="1"}';
    expect(readings.series.map(({ metric }) => metric)).toEqual([exec, 'nv_gpu_utilization{gpu_uuid="GPU-3d7c0a2e"}']);
    expect(values('triton', exec)).toEqual([150, 200, 250, 300]);
    const points = readings.points(readings.find({ metric: exec })[0]!);
    const window = { fromNs: points[0]!.atNs, toNs: points[3]!.atNs };
    expect(summariseReadings(readings, window)[0]).toMatchObject({ total: 150, kind: 'counter' });
  });

  it('without an address of its own asks the server under test, once it is known', async () => {
    const { base, close } = await serving(() => TRITON);
    const { monitor, values } = await watched(prometheus, { period: 10 });
    expect(monitor.needsUrl).toBe(true);
    monitor.sample!();
    monitor.watch!({ role: 'server', pid: 1, url: base });
    await monitor.stop();
    close();
    expect(values('metrics', 'nv_inference_pending_request_count{model="resnet50",version="1"}')).toEqual([7]);
    expect(values('metrics', 'nv_cpu_utilization')).toEqual(['the page says NaN']);
  });

  it('has a gap in every series while the page can’t be had, and goes on after it', async () => {
    let round = 0;
    const { url, close } = await serving(() => (++round === 2 ? undefined : 'x 1\n'));
    const { monitor, values, failures } = await watched(prometheus, { url, period: 10 });
    for (let i = 0; i < 2; i++) {
      monitor.sample!();
      await delay(100);
    }
    await monitor.stop();
    close();
    expect(values('metrics', 'x')).toEqual([1, expect.stringContaining('HTTP status 503'), 1]);
    expect(failures).toEqual([]);
  });

  it('says that nobody listens', async () => {
    const { monitor, values } = await watched(prometheus, { url: 'http://127.0.0.1:9/metrics' });
    await monitor.stop();
    expect(values('metrics', 'up')[0]).toContain('ECONNREFUSED');
  });
});
