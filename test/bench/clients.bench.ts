import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createArrival } from '../../clients/arrivals/index.js';
import { dueTimes, sampleIndices } from '../../clients/schedule.js';
import type { InferRequest } from '../../servers/protocol/types.js';
import { compete, contestant, ownCpu } from './contestants.js';
import { type BenchOptions, type Figure, figureOf, repeat } from './figure.js';
import { h2loadProgram, wrkProgram } from './programs.js';
import { autocannonSender, transportSender } from './senders.js';

const CONCURRENCY = 16;
const ARRIVALS = 2_000_000;
const SIZES: readonly Size[] = [
  { name: '[1,4]', floats: 4, rest: 14, grpc: 50, autocannon: 6400 },
  { name: '600 kB', floats: 150_000, rest: 130, grpc: 230, autocannon: 800 },
];

interface Size {
  readonly name: string;
  readonly floats: number;
  /** Targets, µs. */
  readonly rest: number;
  readonly grpc: number;
  /** Requests that fill its turn. */
  readonly autocannon: number;
}

/**
 * Arrivals a second of the schedule, and CPU µs a request of each client against a fixed-answer server in another process:
 * ours beside the libraries and, where they are on PATH, wrk and h2load. Request and answer hold the same tensor.
 */
export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const rate = (withSamples: boolean) => repeat(options.rounds, () => scheduleRate(withSamples));
  const figures = [
    figureOf('schedule: Poisson arrivals', 'arrivals/s', rate(false)),
    figureOf('schedule: arrivals with samples', 'arrivals/s', rate(true)),
  ];
  for (const size of SIZES) {
    figures.push(...(await restCosts(size, options)));
    figures.push(...(await grpcCosts(size, options)));
  }
  return figures;
}

function scheduleRate(withSamples: boolean): number {
  const start = performance.now();
  const due = dueTimes(createArrival('poisson', {}, 1000, 1n), { durationNs: 0, minCount: ARRIVALS });
  if (withSamples) sampleIndices('random', 2n, due.length, 10_000);
  return (due.length / (performance.now() - start)) * 1000;
}

async function restCosts(size: Size, options: BenchOptions): Promise<Figure[]> {
  const request = requestOf(size);
  const { server, url } = await startServer('rest-binary', size.floats);
  const contestants = [
    contestant(transportSender('rest-binary', url, request, CONCURRENCY), ownCpu, size.rest),
    contestant(transportSender('rest-undici', url, request, CONCURRENCY), ownCpu),
    contestant(autocannonSender(url, request, CONCURRENCY, size.autocannon), ownCpu),
    wrkProgram(url, request, CONCURRENCY),
  ].filter((each) => each !== undefined);
  const figures = await compete(`client ${size.name}`, contestants, options);
  server.disconnect();
  return figures;
}

async function grpcCosts(size: Size, options: BenchOptions): Promise<Figure[]> {
  const request = requestOf(size);
  const { server, url } = await startServer('grpc', size.floats);
  const contestants = [
    contestant(transportSender('grpc', url, request, CONCURRENCY), ownCpu, size.grpc),
    contestant(transportSender('grpc-js', url, request, CONCURRENCY), ownCpu),
    h2loadProgram(url, request, CONCURRENCY),
  ].filter((each) => each !== undefined);
  const figures = await compete(`client ${size.name}`, contestants, options);
  server.disconnect();
  return figures;
}

function requestOf({ floats }: Size): InferRequest {
  const data = new Uint8Array(floats * 4);
  return { modelName: 'echo', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, floats], data }] };
}

async function startServer(kind: string, floats: number): Promise<{ server: ChildProcess; url: string }> {
  const server = fork(new URL('./echo-server.js', import.meta.url), [kind, String(floats)]);
  const [port] = (await once(server, 'message')) as [number];
  return { server, url: `http://127.0.0.1:${port}` };
}
