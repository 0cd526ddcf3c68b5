import { describe, expect, test } from 'vitest';
import { encodeAll } from '../../../clients/encoded.js';
import { type LoadPlan, planLoad } from '../../../clients/loads/index.js';
import { drawMix, mixOption } from '../../../clients/loads/mix.js';
import { OpenLoop } from '../../../clients/open-loop.js';
import { Requests } from '../../../clients/requests.js';
import { scheduleSha256 } from '../../../clients/schedule.js';
import { shareOf } from '../../../clients/share.js';
import { RecordTable } from '../../../results/record.js';
import { SimulatedLoad } from '../../../scenarios/simulated-load.js';
import type { InferRequest } from '../../../servers/protocol/index.js';
import { FakeTimeline } from '../../fakes/fake-timeline.js';
import { fakeTransport } from '../../fakes/fake-transport.js';

const CONTEXT = {
  scheduleSeed: 1n,
  sampleSeed: 2n,
  totalSampleCount: 8,
  performanceSampleCount: 8,
  preset: 'quick',
} as const;
const MIX = [
  { tenant: 'paying', weight: 1, priority: 1, timeout: '5ms' },
  { tenant: 'bulk', weight: 3, class: 'be', deadline: '1s', model: 'other' },
];
type Open = Extract<LoadPlan, { mode: 'open' }>;
const plan = (options: object) => planLoad('open', { rate: '1000/s', ...options }, CONTEXT) as Open;
const counts = (of: Uint8Array) => [1, 2].map((kind) => of.filter((each) => each === kind).length);

describe('a mixed load', () => {
  test('draws kinds by weight: of 20,000 requests a quarter is paying’s, three quarters bulk’s', () => {
    const { mix } = plan({ count: 20_000, mix: MIX });
    const [paying, bulk] = counts(mix!.of) as [number, number];
    expect(paying + bulk).toBe(20_000);
    // Binomial: 5,000 ± 61; four of them.
    expect(Math.abs(paying - 5000)).toBeLessThan(245);
  });

  test('changes neither due times nor samples, but the hash of the schedule', () => {
    const [plain, mixed] = [plan({ count: 500 }), plan({ count: 500, mix: MIX })];
    expect(mixed.dueNs).toEqual(plain.dueNs);
    expect(mixed.sampleIndex).toEqual(plain.sampleIndex);
    expect(scheduleSha256(mixed)).not.toBe(scheduleSha256(plain));
    expect(scheduleSha256(mixed)).toBe(scheduleSha256(plan({ count: 500, mix: MIX })));
    expect(plain.mix).toBeUndefined();
  });

  test('is had by the load server too, whose arrivals stay LoadGen’s', () => {
    const server = (options: object) =>
      planLoad('server', { rate: '1000/s', duration: '1s', ...options }, CONTEXT) as Open;
    const [plain, mixed] = [server({}), server({ mix: MIX })];
    expect(mixed.dueNs).toEqual(plain.dueNs);
    expect(mixed.sampleIndex).toEqual(plain.sampleIndex);
    expect(mixed.mix!.of.length).toBe(plain.dueNs.length);
  });

  test('sends Triton’s parameters, times in µs, and the tenant as client; another model by its name', () => {
    const { classes } = plan({ count: 1, mix: MIX }).mix!;
    const encode = encodeAll(
      { encode: (request: InferRequest) => request } as never,
      { inputs: (index: number) => [`input ${index}`] } as never,
      { name: 'main', classes },
      2,
    );
    expect(encode(1, 1)).toEqual({
      modelName: 'main',
      inputs: ['input 1'],
      parameters: { client: 'paying', priority: 1, timeout: 5000 },
    });
    expect(encode(0, 2)).toEqual({
      modelName: 'other',
      inputs: ['input 0'],
      parameters: { client: 'bulk', class: 'be', deadline: 1_000_000 },
    });
  });

  test('records the tenant of each request as it was drawn', () => {
    const timeline = new FakeTimeline();
    const transport = fakeTransport(timeline, (sent) => sent + 1e6);
    const mixed = plan({ count: 200, mix: MIX });
    const kinds: number[] = [];
    const encoded = (_: number, kind: number) => void kinds.push(kind);
    const records = new RecordTable(200);
    records.tenants.push('paying', 'bulk');
    const { send, table } = new Requests(records, 0, false, timeline, transport, encoded);
    new OpenLoop({ plan: mixed, originNs: 0, maxDurationNs: 1e12, timeline, send, ended: () => {} }).start();
    timeline.run();
    expect([...table.tenant]).toEqual([...mixed.mix!.of]);
    expect(kinds).toEqual([...mixed.mix!.of]);
  });

  test('is dealt out with its requests, open and closed', () => {
    const mixed = plan({ count: 100, mix: MIX });
    const second = shareOf(mixed, { index: 1, of: 3 });
    expect([...second.mix!.of]).toEqual([...mixed.mix!.of].filter((_, k) => k % 3 === 1));
    const loop = planLoad('closed', { concurrency: 2, mix: MIX }, CONTEXT);
    const odd = shareOf(loop, { index: 1, of: 2 });
    expect([...odd.mix!.of.slice(0, 50)]).toEqual([...loop.mix!.of.slice(0, 100)].filter((_, k) => k % 2 === 1));
  });

  test('reaches simulated strategies as the server would understand it: deadlines absolute, timeouts relative', () => {
    const mixed = plan({ count: 50, mix: MIX });
    const load = new SimulatedLoad(mixed);
    for (let k = 0; k < 50; k++) {
      const request = load.take();
      expect(request.kind).toBe(mixed.mix!.of[k]);
      if (request.kind === 1) expect(request).toMatchObject({ client: 'paying', priority: 1, timeoutNs: 5e6 });
      else expect(request).toMatchObject({ client: 'bulk', class: 'be', deadlineNs: request.at + 1e9 });
      load.completed(request, request.at, false);
    }
  });

  test.each([
    [[{ tenant: 'a' }, { tenant: 'a' }], /must name each tenant once/],
    [[{ tenant: 'a b' }], /must be up to 40 letters/],
    [[{ tenant: 'a', weight: 0 }], /load\.mix\.0\.weight/],
    [[{ tenant: 'a', timeout: '10ns' }], /must be at least 1us/],
    [[], /load\.mix/],
  ])('%j is refused', (mix, message) => {
    expect(() => plan({ count: 1, mix })).toThrow(message);
  });
});

test('Zipf’s law over four models: the k-th has weight 1/k', () => {
  const option = mixOption().parse({ models: 'net', count: 4 });
  const mix = drawMix(option, 5n, 25_000)!;
  expect(mix.classes.map(({ model }) => model)).toEqual(['net-1', 'net-2', 'net-3', 'net-4']);
  const shares = [1, 2, 3, 4].map((kind) => mix.of.filter((each) => each === kind).length / 25_000);
  for (const [i, share] of shares.entries()) expect(Math.abs(share - 12 / 25 / (i + 1))).toBeLessThan(0.02);
});
