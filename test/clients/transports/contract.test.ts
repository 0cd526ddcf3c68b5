import { afterEach, describe, expect, test } from 'vitest';
import type { CallResult, Transport } from '../../../clients/transports/contract.js';
import { createTransport, transports } from '../../../clients/transports/index.js';
import { nowNs } from '../../../results/clock.js';
import type { InferRequest, Tensor } from '../../../servers/protocol/types.js';
import { ECHO_METADATA, ECHO_TIMINGS, EchoService } from '../../fakes/echo-service.js';
import { type FakeServer, startGrpc, startRest } from '../../fakes/v2-servers.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Engines that tell when a request's last byte was handed over. */
const OWN_ENGINE = ['rest', 'rest-binary', 'grpc'];

const tensor = (...values: number[]): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [1, values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});

const request = (behaviour?: string, inputs: readonly Tensor[] = [tensor(1, 2, 3, 4)]): InferRequest => ({
  modelName: 'echo',
  inputs,
  ...(behaviour && { parameters: { behaviour } }),
});

async function connect(name: string, endpoint: string, timeoutNs = 10e9) {
  const service = new EchoService();
  let server: FakeServer = { url: '', close: async () => {} };
  if (endpoint === 'rest') server = await startRest(service);
  if (endpoint === 'grpc') server = await startGrpc(service);
  const transport = createTransport(name, { url: server.url, model: 'echo', connections: 4, timeoutNs, service });
  closing.push(
    () => transport.close(),
    () => server.close(),
  );
  return { service, server, transport };
}

/** One call, and how often it was told to be done. */
async function call(transport: Transport, what: InferRequest): Promise<CallResult> {
  const encoded = transport.encode(what);
  return await new Promise((resolve) => transport.infer(encoded, resolve));
}

describe.each(transports.map(({ name, endpoint }) => ({ name, endpoint })))('$name', ({ name, endpoint }) => {
  test('an answer brings its outputs, the server timings, and times in order', async () => {
    const { transport } = await connect(name, endpoint);
    const before = nowNs();
    const result = await call(transport, request());
    expect(result.outcome).toBe('ok');
    expect(result.firstByteNs).toBeGreaterThanOrEqual(before);
    expect(result.completedNs).toBeGreaterThanOrEqual(result.firstByteNs);
    expect({ ...result.timings, serialiseNs: 0 }).toEqual(ECHO_TIMINGS);

    const output = result.response?.().outputs[0];
    expect([output?.name, output?.shape, [...(output?.data ?? [])]]).toEqual([
      'y',
      [1, 4],
      [...tensor(1, 2, 3, 4).data],
    ]);
  });

  test.runIf(OWN_ENGINE.includes(name))('it was sent after it was issued and before its answer began', async () => {
    const { transport } = await connect(name, endpoint);
    const before = nowNs();
    const { sentNs, firstByteNs } = await call(transport, request());
    expect(sentNs).toBeGreaterThan(before);
    expect(sentNs).toBeLessThan(firstByteNs);
  });

  test('the same encoded request may be sent many times at once', async () => {
    const { transport, service } = await connect(name, endpoint);
    const encoded = transport.encode(request());
    const results = await Promise.all(
      Array.from({ length: 50 }, () => new Promise<CallResult>((resolve) => transport.infer(encoded, resolve))),
    );
    expect(results.every((result) => result.outcome === 'ok')).toBe(true);
    expect(service.received).toHaveLength(50);
  });

  test('a megabyte goes there and back unharmed', async () => {
    const { transport } = await connect(name, endpoint);
    const values = Float32Array.from({ length: 250_000 }, (_, i) => i);
    const large: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 250_000], data: new Uint8Array(values.buffer) };
    const output = (await call(transport, request(undefined, [large]))).response?.().outputs[0];
    expect(Buffer.compare(output?.data ?? Buffer.alloc(0), large.data)).toBe(0);
  });

  test('a full server is `rejected` with its reason, a bad request is `failed`, a late one `timedOut`', async () => {
    const { transport } = await connect(name, endpoint);
    const rejected = await call(transport, request('reject'));
    expect([rejected.outcome, rejected.errorCode, rejected.errorMessage]).toEqual(['rejected', 'queue-full', 'full']);
    const failed = await call(transport, request('invalid'));
    expect([failed.outcome, failed.errorMessage]).toEqual(['failed', 'no such input']);
    expect((await call(transport, request('late'))).outcome).toBe('timedOut');
  });

  test('no answer within the timeout is `timedOut`, and the server is told', async () => {
    const { transport, service } = await connect(name, endpoint, 50e6);
    // Connected: on a busy machine that alone takes longer than the timeout, and the server would hear nothing.
    await expect.poll(() => transport.ready()).toBe(true);
    const result = await call(transport, request('hang'));
    expect([result.outcome, result.errorCode]).toEqual(['timedOut', 'client-timeout']);
    await expect.poll(() => service.cancelled).toBe(1);
  });

  test('cancelling ends a call once, as `cancelled`, and the server is told', async () => {
    const { transport, service } = await connect(name, endpoint);
    const results: CallResult[] = [];
    const handle = transport.infer(transport.encode(request('hang')), (result) => results.push(result));
    await expect.poll(() => service.received.length).toBe(1);
    handle.cancel();
    handle.cancel();
    await expect.poll(() => service.cancelled).toBe(1);
    expect(results.map((result) => result.outcome)).toEqual(['cancelled']);
  });

  test('it knows the model and its statistics', async () => {
    const { transport } = await connect(name, endpoint);
    expect(await transport.ready()).toBe(true);
    const metadata = await transport.modelMetadata();
    expect([metadata.name, metadata.inputs, metadata.outputs]).toEqual([
      'echo',
      ECHO_METADATA.inputs,
      ECHO_METADATA.outputs,
    ]);
    expect((await transport.statistics())?.inference_count).toBe(5);
  });
});

const networked = transports
  .map(({ name, endpoint }) => ({ name, endpoint }))
  .filter((each) => each.endpoint !== 'none');

describe.each(networked)('$name over a network', ({ name, endpoint }) => {
  test('a server that is not there makes a call `failed`, and ready() false', async () => {
    const { transport, server } = await connect(name, endpoint);
    await server.close();
    const result = await call(transport, request());
    expect(result.outcome).toBe('failed');
    expect(result.errorCode).toMatch(/ECONNREFUSED|no-connection/);
    expect(await transport.ready()).toBe(false);
  });

  test('it refuses an address that is not this machine', () => {
    for (const url of [
      'http://example.org:8000',
      '10.0.0.1:8001',
      'http://127.0.0.1@example.org:80',
      'http://0.0.0.0:1',
    ])
      expect(() => createTransport(name, { url, model: 'm', connections: 1, timeoutNs: 1e9 })).toThrow(
        /is not this machine.*loopback only/,
      );
  });
});
