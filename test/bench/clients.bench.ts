import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';
import { createArrival } from '../../clients/arrivals/index.js';
import { dueTimes, sampleIndices } from '../../clients/schedule.js';
import { createTransport } from '../../clients/transports/index.js';
import { encodeJsonRequest, inferPath } from '../../servers/protocol/json-request.js';
import type { InferRequest } from '../../servers/protocol/types.js';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = 5;
const CONNECTIONS = 8;
const SIZES = [
  { name: '[1,4]', floats: 4, requests: 4000 },
  { name: '600 kB', floats: 150_000, requests: 400 },
];
const ARRIVALS = 2_000_000;

/**
 * Arrivals a second of the schedule, and CPU µs a request of each client against a fixed-answer server in another process;
 * autocannon beside them in the same rounds. Medians of five interleaved rounds, the first of which only warms up.
 */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [
    { name: 'schedule: Poisson arrivals', value: median(repeat(() => scheduleRate())), unit: 'arrivals/s' },
    { name: 'schedule: arrivals with samples', value: median(repeat(() => scheduleRate(true))), unit: 'arrivals/s' },
  ];
  for (const size of SIZES) figures.push(...(await clientCosts(size)));
  return figures;
}

function scheduleRate(withSamples = false): number {
  const start = performance.now();
  const due = dueTimes(createArrival('poisson', {}, 1000, 1n), { durationNs: 0, minCount: ARRIVALS });
  if (withSamples) sampleIndices('random', 2n, due.length, 10_000);
  return (due.length / (performance.now() - start)) * 1000;
}

interface Contestant {
  readonly name: string;
  /** Sends so many requests. */
  send(requests: number): Promise<void>;
  close(): Promise<void>;
}

async function clientCosts(size: (typeof SIZES)[number]): Promise<Figure[]> {
  const request: InferRequest = {
    modelName: 'echo',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, size.floats], data: new Uint8Array(size.floats * 4) }],
  };
  const contestants = [
    await ours('rest-binary', request, size.floats),
    await ours('grpc', request, size.floats),
    // 600 kB of JSON numbers cost 50 times as much and would show nothing but JSON.parse.
    ...(size.floats === 4 ? [await ours('rest', request, size.floats)] : []),
    await theirs(request, size.floats),
  ];
  const costs = contestants.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++)
    for (const [i, contestant] of contestants.entries()) {
      const before = process.cpuUsage();
      await contestant.send(size.requests);
      const { user, system } = process.cpuUsage(before);
      if (round > 0) costs[i]!.push((user + system) / size.requests);
    }
  for (const contestant of contestants) await contestant.close();
  return contestants.map(({ name }, i) => ({
    name: `client ${name}, ${size.name}`,
    value: median(costs[i]!),
    unit: 'µs CPU/request',
  }));
}

async function ours(name: string, request: InferRequest, floats: number): Promise<Contestant> {
  const { server, port } = await startServer(name, floats);
  const url = `${name === 'grpc' ? '' : 'http://'}127.0.0.1:${port}`;
  const transport = createTransport(name, { url, model: 'echo', connections: CONNECTIONS, timeoutNs: 10e9 });
  const encoded = transport.encode(request);
  return {
    name,
    send: (requests) =>
      new Promise((resolve, reject) => {
        let left = requests;
        let started = 0;
        const next = (): void => {
          started++;
          transport.infer(encoded, ({ outcome, errorMessage }) => {
            if (outcome !== 'ok') reject(new Error(`${name}: ${outcome} ${errorMessage}`));
            else if (--left === 0) resolve();
            else if (started < requests) next();
          });
        };
        for (let i = 0; i < CONNECTIONS; i++) next();
      }),
    async close() {
      await transport.close();
      server.disconnect();
    },
  };
}

async function theirs(request: InferRequest, floats: number): Promise<Contestant> {
  const { server, port } = await startServer('rest-binary', floats);
  const message = encodeJsonRequest(request, true);
  return {
    name: 'autocannon (as rest-binary)',
    async send(amount) {
      const result = await autocannon({
        url: `http://127.0.0.1:${port}${inferPath('echo')}`,
        method: 'POST',
        headers: { 'Inference-Header-Content-Length': String(message.headerLength) },
        body: Buffer.concat(message.parts),
        connections: CONNECTIONS,
        amount,
      });
      if (result['2xx'] !== amount) throw new Error(`autocannon: ${result['2xx']} of ${amount} answers were good`);
    },
    async close() {
      server.disconnect();
    },
  };
}

async function startServer(kind: string, floats: number): Promise<{ server: ChildProcess; port: number }> {
  const server = fork(new URL('./echo-server.js', import.meta.url), [kind, String(floats)]);
  const [port] = (await once(server, 'message')) as [number];
  return { server, port };
}

function repeat(measure: () => number): number[] {
  return Array.from({ length: ROUNDS }, measure);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
