import autocannon from 'autocannon';
import { createTransport } from '../../clients/transports/index.js';
import { encodeJsonRequest, inferPath } from '../../servers/protocol/json-request.js';
import type { InferRequest } from '../../servers/protocol/types.js';
import type { BenchOptions } from './figure.js';

/** Something that puts requests on a server in a closed loop. */
export interface Sender {
  readonly name: string;
  /** `send` resolves later than the last answer comes, so that its time says nothing about the sender's speed. */
  readonly endsLate?: true;
  /** Resolves when so many requests have been answered well; rejects at the first that has not. */
  send(requests: number): Promise<void>;
  close(): Promise<void>;
}

/** A sender, and where the CPU time that counts is read. */
export interface Contestant {
  readonly sender: Sender;
  /** CPU time so far, in µs. */
  cpuMicros(): Promise<number>;
}

/** How long one sender's turn in a round takes. */
const TURN_MS = 800;
const FIRST_REQUESTS = 50;

/**
 * CPU µs a request of each contestant in each round. Rounds are interleaved, so that what the machine does beside them
 * meets all alike. A turn is as many requests as the sender manages in 0.8 s, or as the first one does where that cannot
 * be told.
 */
export async function interleaved(contestants: readonly Contestant[], { rounds }: BenchOptions): Promise<number[][]> {
  const amounts: number[] = [];
  for (const { sender } of contestants)
    amounts.push(sender.endsLate ? await warmedUp(sender, amounts[0]!) : await requestsATurn(sender));
  const costs = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, contestant] of contestants.entries()) costs[i]!.push(await turn(contestant, amounts[i]!));
  return costs;
}

async function turn({ sender, cpuMicros }: Contestant, requests: number): Promise<number> {
  const before = await cpuMicros();
  await sender.send(requests);
  return ((await cpuMicros()) - before) / requests;
}

async function warmedUp(sender: Sender, requests: number): Promise<number> {
  await sender.send(requests);
  return requests;
}

/** Tries ever more requests until they fill a turn: the warm-up, too. */
async function requestsATurn(sender: Sender): Promise<number> {
  for (let requests = FIRST_REQUESTS; ; requests *= 2) {
    const begin = performance.now();
    await sender.send(requests);
    const elapsed = performance.now() - begin;
    if (elapsed > TURN_MS) return Math.max(FIRST_REQUESTS, Math.round((requests * TURN_MS) / elapsed));
  }
}

/** One of our transports. */
export function transportSender(name: string, url: string, request: InferRequest, concurrency: number): Sender {
  const transport = createTransport(name, {
    url,
    model: request.modelName,
    connections: concurrency,
    timeoutNs: 10e9,
    responses: false,
  });
  const encoded = transport.encode(request);
  return {
    name,
    send: (requests) =>
      new Promise((resolve, reject) => {
        let left = requests;
        let started = 0;
        const next = (): void => {
          if (started++ < requests) transport.infer(encoded, done);
        };
        const done: Parameters<typeof transport.infer>[1] = ({ outcome, errorCode, errorMessage }) => {
          if (outcome !== 'ok') reject(new Error(`${name}: ${outcome} ${errorCode} ${errorMessage}`));
          else if (--left === 0) resolve();
          else next();
        };
        for (let i = 0; i < concurrency; i++) next();
      }),
    close: () => transport.close(),
  };
}

/** autocannon with the same bytes as our rest-binary. */
export function autocannonSender(url: string, request: InferRequest, concurrency: number): Sender {
  const message = encodeJsonRequest(request, true);
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Inference-Header-Content-Length': String(message.headerLength),
  };
  const body = Buffer.concat(message.parts);
  return {
    name: 'autocannon (as rest-binary)',
    // It looks once a second whether it is done.
    endsLate: true,
    async send(amount) {
      const result = await autocannon({
        url: `${url}${inferPath(request.modelName)}`,
        method: 'POST',
        headers,
        body,
        connections: Math.min(concurrency, amount),
        amount,
      });
      if (result['2xx'] !== amount) throw new Error(`autocannon: ${result['2xx']} of ${amount} answers were good`);
    },
    async close() {},
  };
}
