import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startMonitors } from '../../results/monitors/index.js';
import type { InferRequest } from '../../servers/protocol/types.js';
import { forkServer, type ServerHandle } from '../../servers/server-handle.js';
import type { ServerSpec } from '../../servers/spec.js';
import { compete, contestant } from './contestants.js';
import { type BenchOptions, type Figure, figureOf } from './figure.js';
import { transportSender } from './senders.js';

const CONCURRENCY = 16;
const WATCH_MS = 2000;
const TENSOR = { datatype: 'FP32', shape: [-1, 4] };
const MODEL: ServerSpec['model'] = {
  runtime: 'null',
  options: { inputs: [{ name: 'x', ...TENSOR }], outputs: [{ name: 'y', ...TENSOR }] },
};

/**
 * What watching costs: the share of a core that each monitor takes at 10 Hz, with a server and a second process to watch, and
 * the server's CPU µs a request without a request log, with one line in a hundred and with every line.
 */
export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  return [...(await monitorShares(options)), ...(await requestLogCosts(options))];
}

async function monitorShares({ rounds }: BenchOptions): Promise<Figure[]> {
  const server = await start();
  const shares = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    const set = await startMonitors({ periodMs: 100 });
    set.watch({ role: 'server', pid: server.pid, url: server.addresses.rest });
    set.watch({ role: 'load', pid: process.pid });
    await delay(WATCH_MS);
    const { reports } = await set.stop();
    let all = 0;
    for (const { name, cpuSeconds, elapsedSeconds, state } of reports) {
      if (state === 'absent' || cpuSeconds === null) continue;
      const share = (100 * cpuSeconds) / elapsedSeconds;
      all += share;
      shares.set(name, [...(shares.get(name) ?? []), share]);
    }
    shares.set('all of them', [...(shares.get('all of them') ?? []), all]);
  }
  await server.stop();
  return [...shares].map(([name, values]) =>
    figureOf(`monitor at 10 Hz, ${name}`, '% of a core', values, {
      target: name.startsWith('all of them') ? 1 : undefined,
    }),
  );
}

async function requestLogCosts(options: BenchOptions): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'servemark-bench-'));
  const kinds = [
    ['without', undefined],
    ['1 line in 100', { path: join(folder, 'sampled.jsonl'), sample: 0.01 }],
    ['every line', { path: join(folder, 'all.jsonl') }],
  ] as const;
  const servers = await Promise.all(kinds.map(([, requestLog]) => start(requestLog)));
  const contestants = servers.map((server, i) => {
    const sender = transportSender('rest-binary', server.addresses.rest!, requestFor(server), CONCURRENCY);
    return contestant({ ...sender, name: kinds[i]![0] }, async () => {
      const { process } = await server.usage();
      return (process.userSeconds + process.systemSeconds) * 1e6;
    });
  });
  const figures = await compete('server null [1,4], request log', contestants, options);
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
  return figures;
}

function start(requestLog?: ServerSpec['requestLog']): Promise<ServerHandle> {
  return forkServer({
    name: 'bench',
    model: MODEL,
    strategy: { name: 'serial' },
    frontends: { rest: { port: 0 } },
    requestLog,
  });
}

function requestFor({ metadata }: ServerHandle): InferRequest {
  const { name, datatype } = metadata.inputs[0]!;
  return { modelName: metadata.name, inputs: [{ name, datatype, shape: [1, 4], data: new Uint8Array(16) }] };
}
