import type { InferRequest } from '../../servers/protocol/types.js';
import { forkServer, type ServerHandle } from '../../servers/server-handle.js';
import type { ServerSpec } from '../../servers/spec.js';
import { type BenchOptions, type Figure, figureOf } from './figure.js';
import { autocannonSender, type Contestant, interleaved, type Sender, transportSender } from './senders.js';

const CONCURRENCY = 16;

interface Setup {
  readonly name: string;
  readonly model: ServerSpec['model'];
  readonly strategy: ServerSpec['strategy'];
  readonly floats: number;
}

const SETUPS: readonly Setup[] = [
  { name: 'null, [1,4]', model: echo(4), strategy: { name: 'serial' }, floats: 4 },
  { name: 'null, 600 kB', model: echo(150_000), strategy: { name: 'serial' }, floats: 150_000 },
  {
    name: 'fashion-mlp in batches',
    model: { zoo: 'fashion-mlp' },
    strategy: { name: 'triton-dynamic', options: { maxBatchSize: 32, maxQueueDelay: '1ms' } },
    floats: 784,
  },
];

/**
 * CPU µs a request of our server, the whole process with its workers, under a closed loop of 16. `null` executes nothing
 * and answers with as many bytes as it was sent, so that what remains is frontend, queue and codec. REST is driven by our
 * client and by autocannon in turn: the server's cost must not depend on who asks.
 */
export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const setup of SETUPS) figures.push(...(await serverCosts(setup, options)));
  return figures;
}

async function serverCosts(setup: Setup, options: BenchOptions): Promise<Figure[]> {
  const rest = await start(setup, 'rest');
  const grpc = await start(setup, 'grpc');
  const restUrl = rest.addresses.rest!;
  const contestants = [
    serverCpu(transportSender('rest-binary', restUrl, requestFor(rest, setup), CONCURRENCY), rest),
    serverCpu(autocannonSender(restUrl, requestFor(rest, setup), CONCURRENCY), rest),
    serverCpu(transportSender('grpc', grpc.addresses.grpc!, requestFor(grpc, setup), CONCURRENCY), grpc),
  ];
  const costs = await interleaved(contestants, options);
  for (const { sender } of contestants) await sender.close();
  await Promise.all([rest.stop(), grpc.stop()]);
  return contestants.map(({ sender }, i) =>
    figureOf(`server ${setup.name}, driven by ${sender.name}`, 'µs CPU/request', costs[i]!),
  );
}

/** Each protocol has a server of its own: neither optimises the code that they share for the other. */
function start({ model, strategy }: Setup, frontend: string): Promise<ServerHandle> {
  return forkServer({ name: 'bench', model, strategy, frontends: { [frontend]: { port: 0 } } });
}

function requestFor({ metadata }: ServerHandle, { floats }: Setup): InferRequest {
  const data = new Uint8Array(floats * 4);
  const { name, datatype, shape } = metadata.inputs[0]!;
  return { modelName: metadata.name, inputs: [{ name, datatype, shape: [1, ...shape.slice(1)], data }] };
}

function serverCpu(sender: Sender, server: ServerHandle): Contestant {
  return {
    sender,
    async cpuMicros() {
      const { process } = await server.usage();
      return (process.userSeconds + process.systemSeconds) * 1e6;
    },
  };
}

function echo(floats: number): ServerSpec['model'] {
  const tensor = { datatype: 'FP32', shape: [-1, floats] };
  return { runtime: 'null', options: { inputs: [{ name: 'x', ...tensor }], outputs: [{ name: 'y', ...tensor }] } };
}
