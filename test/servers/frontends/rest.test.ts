import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Frontend } from '../../../servers/frontends/contract.js';
import { rest } from '../../../servers/frontends/rest.js';
import { metricsText } from '../../../servers/prometheus.js';
import { INFER_HEADER } from '../../../servers/protocol/json.js';
import { encodeJsonRequest } from '../../../servers/protocol/json-request.js';
import { decodeJsonResponse } from '../../../servers/protocol/json-response.js';
import { timingsFromParameters } from '../../../servers/protocol/timings.js';
import type { Tensor } from '../../../servers/protocol/types.js';
import { EchoModel, EVERYTHING, PAIR } from '../../fakes/echo-model.js';
import { eachDatatype } from '../../fakes/tensors.js';

const LIMITS = { maxBodyBytes: 2000, maxHeaderBytes: 8192 };
const service = new EchoModel(PAIR);
let frontend: Frontend;
beforeAll(async () => {
  const metrics = () =>
    metricsText([{ name: 'pair', version: '1', statistics: () => service.statistics.snapshot(), waiting: () => 0 }]);
  frontend = await rest.start(service, { host: '127.0.0.1', port: 0, limits: LIMITS, metrics });
});
afterAll(() => frontend.close());
afterEach(() => {
  service.cancelled = 0;
  service.isReady = true;
});

const GOOD = {
  id: 'r1',
  inputs: [
    { name: 'in_a', datatype: 'FP32', shape: [1, 2], data: [1.5, -2] },
    { name: 'in_b', datatype: 'BYTES', shape: [1], data: ['ä'] },
  ],
};

describe('what a v2 client asks', () => {
  test('Server, model and health are answered', async () => {
    expect((await get('/v2')).json).toMatchObject({ name: 'fake', extensions: ['binary_tensor_data', 'statistics'] });
    expect((await get('/v2/health/live')).json).toEqual({ live: true });
    expect((await get('/v2/models/pair')).json).toEqual(PAIR);
    expect((await get('/v2/models/pair/versions/1')).json).toEqual(PAIR);
    expect(await get('/v2/models/pair/ready')).toMatchObject({ status: 200, json: { ready: true } });
  });

  test('Not ready is 503', async () => {
    service.isReady = false;
    expect((await get('/v2/health/ready')).status).toBe(503);
    expect((await get('/v2/models/pair/ready')).status).toBe(503);
    expect((await get('/v2/health/live')).status).toBe(200);
  });

  test('Configuration, statistics and index are Triton’s', async () => {
    expect((await get('/v2/models/pair/config')).json).toMatchObject({ max_batch_size: 8, input: [{ dims: [2] }, {}] });
    expect((await get('/v2/models/pair/stats')).json).toMatchObject({ model_stats: [{ name: 'pair', version: '1' }] });
    expect((await get('/v2/models/stats')).json).toMatchObject({ model_stats: [{ name: 'pair' }] });
    const index = await call('POST', '/v2/repository/index', '');
    expect(index.json).toEqual([{ name: 'pair', version: '1', state: 'READY', reason: '' }]);
  });

  test('Prometheus reads its text', async () => {
    const { headers, body } = await get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0.0.4/);
    expect(body.toString()).toContain('nv_inference_count{model="pair",version="1"}');
  });
});

describe('inference', () => {
  test('A JSON request is answered in JSON, with its id and the server’s timings', async () => {
    const { status, headers, json, body } = await infer(GOOD);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(json).toMatchObject({ model_name: 'pair', model_version: '1', id: 'r1' });
    expect((json as { outputs: { data: unknown }[] }).outputs.map(({ data }) => data)).toEqual([[1.5, -2], ['ä']]);
    const timings = timingsFromParameters(decodeJsonResponse(body, undefined).parameters);
    expect(timings).toMatchObject({ receiveNs: 1, queueNs: 2, batchSize: 1, executionId: 7 });
    expect(timings!.serialiseNs).toBeGreaterThan(0);
    // From the first byte on, by stamps of its own.
    expect(timings!.totalNs).toBeGreaterThan(timings!.serialiseNs);
  });

  test.each([false, true])('Every datatype comes back as it was sent (binary: %s)', async (binary) => {
    const everything = await rest.start(new EchoModel(EVERYTHING), {
      host: '127.0.0.1',
      port: 0,
      limits: { ...LIMITS, maxBodyBytes: 100_000 },
    });
    const message = encodeJsonRequest({ modelName: 'everything', inputs: eachDatatype() }, binary);
    const answer = await call('POST', '/v2/models/everything/infer', Buffer.concat(message.parts), {
      headers: message.headerLength === undefined ? {} : { [INFER_HEADER]: String(message.headerLength) },
      port: everything.port,
    });
    const length = answer.headers[INFER_HEADER.toLowerCase()];
    const { outputs } = decodeJsonResponse(answer.body, length === undefined ? undefined : Number(length));
    expect(outputs.map(content)).toEqual(eachDatatype().map(content));
    expect(length !== undefined).toBe(binary);
    await everything.close();
  });

  test('A chunked body is a body', async () => {
    const answer = await call('POST', '/v2/models/pair/infer', JSON.stringify(GOOD), {
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect(answer.status).toBe(200);
  });

  test('Only the outputs asked for are answered, a large binary one in one piece', async () => {
    const big = await rest.start(new EchoModel(PAIR), {
      host: '127.0.0.1',
      port: 0,
      limits: { ...LIMITS, maxBodyBytes: 1e6 },
    });
    const element = Buffer.alloc(600_004, 7);
    element.writeUInt32LE(600_000);
    const inputs: Tensor[] = [
      { name: 'in_a', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) },
      { name: 'in_b', datatype: 'BYTES', shape: [1], data: element },
    ];
    const message = encodeJsonRequest({ modelName: 'pair', inputs, outputs: [{ name: 'out_b' }] }, true);
    const answer = await call('POST', '/v2/models/pair/infer', Buffer.concat(message.parts), {
      headers: { [INFER_HEADER]: String(message.headerLength) },
      port: big.port,
    });
    const { outputs } = decodeJsonResponse(answer.body, Number(answer.headers[INFER_HEADER.toLowerCase()]));
    expect(outputs).toHaveLength(1);
    expect(Buffer.compare(outputs[0]!.data, element)).toBe(0);
    await big.close();
  });
});

describe('what is refused', () => {
  const [a, b] = GOOD.inputs as [object, object];
  test.each<[string, unknown, number, RegExp]>([
    ['malformed JSON', '{"inputs":', 400, /not valid JSON/],
    ['an unknown input', { inputs: [a, { ...b, name: 'z' }] }, 400, /unknown input "z".*expected "in_a", "in_b"/],
    ['a missing input', { inputs: [a] }, 400, /input "in_b" of model "pair" is missing; found "in_a"/],
    ['a wrong datatype', { inputs: [{ ...a, datatype: 'FP64' }, b] }, 400, /"in_a": datatype is FP64; expected FP32/],
    ['a wrong rank', { inputs: [{ ...a, shape: [2] }, b] }, 400, /"in_a": shape is \[2\], rank 1; expected rank 2/],
    ['a wrong shape', { inputs: [{ ...a, shape: [2, 1] }, b] }, 400, /"in_a": shape is \[2,1\]; expected \[-1,2\]/],
    ['too few elements', { inputs: [{ ...a, data: [1] }, b] }, 400, /"in_a": "data" has 1 elements; expected 2/],
    ['queue full', { ...GOOD, parameters: { behaviour: 'queue-full' } }, 503, /the queue is full/],
    ['a failure inside', { ...GOOD, parameters: { behaviour: 'crash' } }, 500, /the worker died/],
  ])('%s', async (_what, body, status, message) => {
    const answer = await infer(body);
    expect(answer.status).toBe(status);
    expect((answer.json as { error: string }).error).toMatch(message);
  });

  test('The reason of a refusal is a word of its own', async () => {
    expect((await infer({ ...GOOD, parameters: { behaviour: 'queue-full' } })).json).toMatchObject({
      reason: 'queue-full',
    });
  });

  test.each([
    ['GET', '/v2/models/nobody', 404, /unknown model "nobody"/],
    ['GET', '/v2/models/pair/versions/9/ready', 404, /unknown version "9"/],
    ['POST', '/v2/models/nobody/infer', 404, /unknown model "nobody"; expected "pair"/],
    ['GET', '/v2/models/pair/nothing', 404, /nothing at \/v2\/models\/pair\/nothing/],
    ['GET', '/__proto__', 404, /nothing at/],
    ['GET', '/v2/models/%zz/ready', 400, /not valid percent-encoding/],
    ['GET', '/v2/models/pair/infer', 405, /method GET at .*; expected POST/],
    ['DELETE', '/v2/models/pair', 405, /expected GET/],
  ])('%s %s is %d', async (method, path, status, message) => {
    const answer = await call(method, path, method === 'POST' ? JSON.stringify(GOOD) : undefined);
    expect(answer.status).toBe(status);
    expect((answer.json as { error: string }).error).toMatch(message);
  });

  test('A truncated binary body names what is missing', async () => {
    const inputs: Tensor[] = [{ name: 'in_a', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) }];
    const message = encodeJsonRequest({ modelName: 'pair', inputs }, true);
    const body = Buffer.concat(message.parts).subarray(0, -3);
    const headers = { [INFER_HEADER]: String(message.headerLength) };
    const answer = await call('POST', '/v2/models/pair/infer', body, { headers });
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringMatching(/only 5 bytes are left/) } });
    const beyond = await call('POST', '/v2/models/pair/infer', body, { headers: { [INFER_HEADER]: '9999' } });
    expect(beyond).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/is "9999"; expected an integer from 0 to/) },
    });
  });

  test('A compressed body', async () => {
    const answer = await call('POST', '/v2/models/pair/infer', 'x', { headers: { 'content-encoding': 'gzip' } });
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringMatching(/Content-Encoding is "gzip"/) } });
  });

  test('A body beyond the limit is 413, announced or chunked, and the server stays up', async () => {
    const body = 'x'.repeat(LIMITS.maxBodyBytes + 1);
    const announced = await call('POST', '/v2/models/pair/infer', body);
    expect(announced).toMatchObject({
      status: 413,
      json: { error: expect.stringMatching(/body is 2001 bytes; expected at most 2000/) },
    });
    const chunked = await call('POST', '/v2/models/pair/infer', body, { headers: { 'transfer-encoding': 'chunked' } });
    expect(chunked).toMatchObject({
      status: 413,
      json: { error: expect.stringMatching(/expected at most 2000 bytes/) },
    });
    expect((await infer(GOOD)).status).toBe(200);
  });

  test('A head beyond the limit is 431', async () => {
    const answer = await call('GET', '/v2', undefined, { headers: { big: 'x'.repeat(10_000) } });
    expect(answer).toMatchObject({
      status: 431,
      json: { error: expect.stringMatching(/head is too long; expected at most 8192 bytes/) },
    });
  });

  test('What is no HTTP is 400', async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connect(frontend.port, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
      let received = '';
      socket.on('data', (chunk) => {
        received += String(chunk);
      });
      socket.on('close', () => resolve(received));
    });
    expect(text).toMatch(/^HTTP\/1.1 400 (.|\s)*the request line is/);
  });

  test('A taken port is an error with its remedy', async () => {
    const again = rest.start(service, { host: '127.0.0.1', port: frontend.port, limits: LIMITS });
    await expect(again).rejects.toThrow(
      /REST frontend at 127.0.0.1:\d+: cannot listen: .*EADDRINUSE.* Choose another port/,
    );
  });
});

describe('the end of things', () => {
  const HANGING = JSON.stringify({ ...GOOD, parameters: { behaviour: 'hang' } });

  test('A client that goes away cancels its request, one that is answered does not', async () => {
    const before = service.received.length;
    const client = httpRequest({ port: frontend.port, method: 'POST', path: '/v2/models/pair/infer' });
    client.on('error', () => {});
    client.end(HANGING);
    await until(() => service.received.length > before);
    client.destroy();
    await until(() => service.cancelled === 1);
    service.release();
    await infer(GOOD);
    expect(service.cancelled).toBe(1);
  });

  test('Closing waits for the request in flight and answers it', async () => {
    const own = await rest.start(service, { host: '127.0.0.1', port: 0, limits: LIMITS });
    const before = service.received.length;
    const answer = call('POST', '/v2/models/pair/infer', HANGING, { port: own.port });
    await until(() => service.received.length > before);
    let closed = false;
    const closing = own.close().then(() => {
      closed = true;
    });
    expect(closed).toBe(false);
    service.release();
    expect((await answer).status).toBe(200);
    await closing;
  });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: unknown;
}

const get = (path: string) => call('GET', path);
const infer = (body: unknown) =>
  call('POST', '/v2/models/pair/infer', typeof body === 'string' ? body : JSON.stringify(body));

function call(
  method: string,
  path: string,
  body?: string | Buffer,
  { headers = {}, port = frontend.port }: { headers?: Record<string, string>; port?: number } = {},
): Promise<Answer> {
  const length =
    body === undefined || headers['transfer-encoding'] ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const client = httpRequest({ port, method, path, headers: { ...length, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        const isJson = response.headers['content-type'] === 'application/json';
        const json = isJson ? (JSON.parse(whole.toString()) as unknown) : undefined;
        resolve({ status: response.statusCode!, headers: response.headers, body: whole, json });
      });
    });
    client.on('error', reject);
    client.end(body);
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function content({ datatype, shape, data }: Tensor) {
  return [datatype, shape, Buffer.from(data).toString('hex')];
}
