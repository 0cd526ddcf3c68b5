import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createArrival } from '../../clients/arrivals/index.js';
import { dueTimes, sampleIndices } from '../../clients/schedule.js';
import type { InferRequest } from '../../servers/protocol/types.js';
import { type BenchOptions, type Figure, figureOf, repeat } from './figure.js';
import { autocannonSender, type Contestant, interleaved, transportSender } from './senders.js';

const CONCURRENCY = 16;
const ARRIVALS = 2_000_000;
const SIZES = [
  { name: '[1,4]', floats: 4, transports: ['rest-binary', 'grpc', 'rest'] },
  // 600 kB of JSON numbers cost 50 times as much and would show nothing but JSON.parse.
  { name: '600 kB', floats: 150_000, transports: ['rest-binary', 'grpc'] },
];

/**
 * Arrivals a second of the schedule, and CPU µs a request of each client against a fixed-answer server in another process;
 * autocannon beside them in the same rounds. Request and answer hold the same tensor.
 */
export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const rate = (withSamples: boolean) => repeat(options.rounds, () => scheduleRate(withSamples));
  const figures = [
    figureOf('schedule: Poisson arrivals', 'arrivals/s', rate(false)),
    figureOf('schedule: arrivals with samples', 'arrivals/s', rate(true)),
  ];
  for (const size of SIZES) figures.push(...(await clientCosts(size, options)));
  return figures;
}

function scheduleRate(withSamples: boolean): number {
  const start = performance.now();
  const due = dueTimes(createArrival('poisson', {}, 1000, 1n), { durationNs: 0, minCount: ARRIVALS });
  if (withSamples) sampleIndices('random', 2n, due.length, 10_000);
  return (due.length / (performance.now() - start)) * 1000;
}

async function clientCosts(size: (typeof SIZES)[number], options: BenchOptions): Promise<Figure[]> {
  const data = new Uint8Array(size.floats * 4);
  const tensor = { name: 'x', datatype: 'FP32' as const, shape: [1, size.floats], data };
  const request: InferRequest = { modelName: 'echo', inputs: [tensor] };
  const servers = await Promise.all([...size.transports, 'rest-binary'].map((kind) => startServer(kind, size.floats)));
  const senders = size.transports.map((name, i) =>
    transportSender(name, `http://127.0.0.1:${servers[i]!.port}`, request, CONCURRENCY),
  );
  senders.push(autocannonSender(`http://127.0.0.1:${servers.at(-1)!.port}`, request, CONCURRENCY));
  const costs = await interleaved(senders.map(ownCpu), options);
  for (const sender of senders) await sender.close();
  for (const { server } of servers) server.disconnect();
  return senders.map(({ name }, i) => figureOf(`client ${name}, ${size.name}`, 'µs CPU/request', costs[i]!));
}

function ownCpu(sender: Contestant['sender']): Contestant {
  return {
    sender,
    async cpuMicros() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  };
}

async function startServer(kind: string, floats: number): Promise<{ server: ChildProcess; port: number }> {
  const server = fork(new URL('./echo-server.js', import.meta.url), [kind, String(floats)]);
  const [port] = (await once(server, 'message')) as [number];
  return { server, port };
}
