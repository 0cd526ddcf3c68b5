import autocannon from 'autocannon';
import { createTransport } from '../../clients/transports/index.js';
import { encodeJsonRequest, inferPath } from '../../servers/protocol/json-request.js';
import type { InferRequest } from '../../servers/protocol/types.js';

/** Something that puts requests on a server in a closed loop. */
export interface Sender {
  readonly name: string;
  /** `send` resolves later than the last answer comes, so that its time says nothing about its speed: requests that fill a turn. */
  readonly endsLate?: number;
  /** Resolves when so many requests have been answered well; rejects at the first that has not. */
  send(requests: number): Promise<void>;
  close(): Promise<void>;
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
export function autocannonSender(
  url: string,
  request: InferRequest,
  concurrency: number,
  requestsATurn: number,
): Sender {
  const message = encodeJsonRequest(request, true);
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Inference-Header-Content-Length': String(message.headerLength),
  };
  const body = Buffer.concat(message.parts);
  return {
    name: 'autocannon (as rest-binary)',
    // It looks once a second whether it is done.
    endsLate: requestsATurn,
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
