import type { InferRequest } from '../../servers/protocol/types.js';
import { forkServer, type ServerHandle } from '../../servers/server-handle.js';
import type { ServerSpec } from '../../servers/spec.js';
import { compete, contestant } from './contestants.js';
import type { BenchOptions, Figure } from './figure.js';
import { autocannonSender, transportSender } from './senders.js';

const CONCURRENCY = 16;

interface Setup {
  readonly name: string;
  readonly model: ServerSpec['model'];
  readonly floats: number;
  /** Targets, µs. */
  readonly rest?: number;
  readonly grpc?: number;
  /** Requests that fill autocannon's turn. */
  readonly autocannon: number;
}

const SETUPS: readonly Setup[] = [
  { name: 'null [1,4]', model: echo(4), floats: 4, rest: 25, grpc: 40, autocannon: 6400 },
  { name: 'null 600 kB', model: echo(150_000), floats: 150_000, rest: 400, grpc: 500, autocannon: 400 },
  { name: 'fashion-mlp', model: { zoo: 'fashion-mlp' }, floats: 784, autocannon: 3200 },
];

const BATCHED = { name: 'triton-dynamic', options: { maxBatchSize: 32, maxQueueDelay: '1ms' } };

/**
 * CPU µs a request of our server with dynamic batching, the whole process with its workers, under a closed loop of 16. `null`
 * executes nothing and answers with as many bytes as it was sent, so that what remains is frontend, queue, batching and
 * codec. REST is driven by our client and by autocannon in turn: the server's cost must not depend on who asks.
 */
export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const setup of SETUPS) {
    figures.push(...(await restCosts(setup, options)));
    figures.push(...(await grpcCosts(setup, options)));
  }
  return figures;
}

async function restCosts(setup: Setup, options: BenchOptions): Promise<Figure[]> {
  const server = await start(setup, 'rest');
  const url = server.addresses.rest!;
  const request = requestFor(server, setup);
  const figures = await compete(
    `server ${setup.name}, driven by`,
    [
      contestant(transportSender('rest-binary', url, request, CONCURRENCY), cpuOf(server), setup.rest),
      contestant(autocannonSender(url, request, CONCURRENCY, setup.autocannon), cpuOf(server)),
    ],
    options,
  );
  await server.stop();
  return figures;
}

/** Each engine has a server of its own: neither optimises the code that they share for the other. */
async function grpcCosts(setup: Setup, options: BenchOptions): Promise<Figure[]> {
  const engines = ['grpc', 'grpc-js'] as const;
  const servers = await Promise.all(engines.map((engine) => start(setup, engine)));
  const contestants = engines.map((engine, i) => {
    const sender = transportSender('grpc', servers[i]!.addresses[engine]!, requestFor(servers[i]!, setup), CONCURRENCY);
    return contestant({ ...sender, name: engine }, cpuOf(servers[i]!), engine === 'grpc' ? setup.grpc : undefined);
  });
  const figures = await compete(`server ${setup.name}, frontend`, contestants, options);
  await Promise.all(servers.map((server) => server.stop()));
  return figures;
}

function start({ model }: Setup, frontend: string): Promise<ServerHandle> {
  return forkServer({ name: 'bench', model, strategy: BATCHED, frontends: { [frontend]: { port: 0 } } });
}

function requestFor({ metadata }: ServerHandle, { floats }: Setup): InferRequest {
  const data = new Uint8Array(floats * 4);
  const { name, datatype, shape } = metadata.inputs[0]!;
  return { modelName: metadata.name, inputs: [{ name, datatype, shape: [1, ...shape.slice(1)], data }] };
}

/** The server's CPU time so far, in µs. */
function cpuOf(server: ServerHandle): () => Promise<number> {
  return async () => {
    const { process } = await server.usage();
    return (process.userSeconds + process.systemSeconds) * 1e6;
  };
}

function echo(floats: number): ServerSpec['model'] {
  const tensor = { datatype: 'FP32', shape: [-1, floats] };
  return { runtime: 'null', options: { inputs: [{ name: 'x', ...tensor }], outputs: [{ name: 'y', ...tensor }] } };
}
