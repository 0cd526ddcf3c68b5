import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InferRequest, Tensor } from '../../servers/protocol/types.js';
import { finish, type Served, serve, start } from './cli.js';
import { child, descendants, gone, HAS_PROC, until } from './processes.js';
import { GrpcCaller, post, type RestAnswer, reasonOf } from './wire.js';

const IMAGE: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 784], data: Buffer.alloc(784 * 4) };
const JSON_INPUT = { name: 'x', datatype: 'FP32', shape: [1, 784], data: new Array<number>(784).fill(0) };

describe('servemark serve, sent what it does not expect', () => {
  let server: Served;
  let grpc: GrpcCaller;
  beforeAll(async () => {
    server = await serve(['fashion-mlp', '--strategy', 'triton-dynamic', '--set', 'maxBatchSize=8']);
    grpc = new GrpcCaller(server.grpcAddress);
  });
  afterAll(async () => {
    grpc.close();
    expect(await server.stop()).toBe(0);
  });

  const rest = (input: object, model = 'fashion-mlp') =>
    post(server.restUrl, `${model}/infer`, JSON.stringify({ inputs: [{ ...JSON_INPUT, ...input }] }));

  test.each<[what: string, change: Partial<Tensor>, message: string]>([
    ['a wrong input name', { name: 'y' }, 'unknown input "y" of model "fashion-mlp"; expected "x"'],
    ['a wrong datatype', { datatype: 'FP64' }, 'input "x": datatype is FP64; expected FP32'],
    ['a wrong shape', { shape: [1, 783] }, 'input "x": shape is [1,783]; expected [-1,784]'],
    ['a wrong rank', { shape: [784] }, 'input "x": shape is [784], rank 1; expected rank 2'],
    ['more rows than a batch holds', { shape: [9, 784] }, 'input "x" has 9 rows (first dimension); expected at most 8'],
  ])(
    '%s is refused alike over REST and gRPC, with what was found and what is expected',
    async (_what, change, message) => {
      const rows = change.shape?.reduce((product, size) => product * size, 1) ?? 784;
      const answer = await rest({ ...change, data: new Array<number>(rows).fill(0) });
      expect(answer.status).toBe(400);
      expect(answer.error).toContain(message);
      const size = change.datatype === 'FP64' ? 8 : 4;
      const request = infer({ ...IMAGE, ...change, data: Buffer.alloc(rows * size) });
      await expect(grpc.infer(request)).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: expect.stringContaining(message),
      });
    },
  );

  test('a wrong number of values or bytes is refused with both numbers', async () => {
    expect((await rest({ data: [1, 2] })).error).toMatch(/input "x".*2.*784/);
    const short = infer({ ...IMAGE, data: Buffer.alloc(3000) });
    await expect(grpc.infer(short)).rejects.toMatchObject({
      details: 'input "x": has 3000 bytes; expected 3136 for FP32 [1,784]',
    });
  });

  test('a binary body that ends too early is refused with both lengths', async () => {
    const head = JSON.stringify({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 784], parameters: { binary_data_size: 3136 } }],
    });
    const headers = { 'Inference-Header-Content-Length': String(head.length) };
    const binary = (bytes: number) =>
      post(server.restUrl, 'fashion-mlp/infer', Buffer.concat([Buffer.from(head), Buffer.alloc(bytes)]), headers);
    expect((await binary(3136)).status).toBe(200);
    const answer = await binary(3000);
    expect(answer.status).toBe(400);
    expect(answer.error).toMatch(/input "x".*3136.*3000/);
    const beyond = await post(server.restUrl, 'fashion-mlp/infer', head, { 'Inference-Header-Content-Length': '9999' });
    expect(beyond.error).toMatch(new RegExp(`9999.*${head.length}`));
  });

  test('malformed JSON and malformed protobuf are refused with the place', async () => {
    const answer = await post(server.restUrl, 'fashion-mlp/infer', '{"inputs": [');
    expect(answer.status).toBe(400);
    expect(answer.error).toMatch(/JSON/);
    expect((await post(server.restUrl, 'fashion-mlp/infer', '')).status).toBe(400);
    expect((await post(server.restUrl, 'fashion-mlp/infer', '[]')).status).toBe(400);
    await expect(grpc.raw(Buffer.from([0x0a, 9, 1]))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/malformed protobuf/),
    });
  });

  test('an unknown model or version is 404 and NOT_FOUND, with the one there is', async () => {
    expect(await rest({}, 'resnet')).toMatchObject({
      status: 404,
      error: expect.stringMatching(/"resnet".*"fashion-mlp"/),
    });
    expect(await rest({}, 'fashion-mlp/versions/7')).toMatchObject({
      status: 404,
      error: expect.stringMatching(/"7".*"1"/),
    });
    await expect(grpc.infer({ ...infer(IMAGE), modelName: 'resnet' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    await expect(grpc.infer({ ...infer(IMAGE), modelVersion: '7' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test('a body beyond the limit is refused with 413 before it is sent', async () => {
    const answer = await head(server, 'POST /v2/models/fashion-mlp/infer HTTP/1.1\r\nContent-Length: 100000000');
    expect(answer).toMatch(/^HTTP\/1.1 413 .*100000000.*67108864/s);
    const long = await head(server, `GET /v2 HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`);
    expect(long).toMatch(/^HTTP\/1.1 431 .*16384/s);
  });

  test('after all of this it still answers', async () => {
    const answer = await rest({});
    expect(answer.status).toBe(200);
    const [output] = (await grpc.infer(infer(IMAGE))).outputs;
    expect(output).toMatchObject({ name: 'logits', datatype: 'FP32', shape: [1, 10] });
    const { outputs } = JSON.parse(answer.text) as { outputs: [{ data: number[] }] };
    const overGrpc = [...new Float32Array(Uint8Array.from(output!.data).buffer)];
    expect(outputs[0].data.map(Math.fround)).toEqual(overGrpc);
  });
});

describe('servemark serve, slow and of one worker process', () => {
  const SLOW = ['synthetic', '--model-set', 'cost=[[1,"1s"]]', '--set', 'maxQueueSize=2', '--isolation', 'process'];
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] });
  const tensor: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 4], data: Buffer.alloc(16) };
  const ask = (server: Served): Promise<RestAnswer> => post(server.restUrl, 'synthetic/infer', body);

  test('a full queue is 503 and UNAVAILABLE; SIGTERM answers what is in hand and ends with 0', async () => {
    const server = await serve(SLOW);
    const grpc = new GrpcCaller(server.grpcAddress);
    const accepted = [ask(server), ask(server)];
    await until('one that runs and one that waits', () => waiting(server, 1));
    accepted.push(ask(server));
    await until('a full queue', () => waiting(server, 2));
    expect(await ask(server)).toMatchObject({ status: 503, error: expect.stringContaining('queue-full') });
    const refused = await grpc.infer({ modelName: 'synthetic', inputs: [tensor] }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('queue is full') });
    expect(reasonOf(refused as Parameters<typeof reasonOf>[0])).toBe('queue-full');
    grpc.close();
    const stopped = server.stop();
    expect((await Promise.all(accepted)).map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(await stopped).toBe(0);
    await expect(ask(server)).rejects.toThrow();
  });

  test.skipIf(!HAS_PROC)('a worker that is killed fails its request with the reason, and is replaced', async () => {
    const server = await serve(SLOW);
    const worker = await child(server.child.pid!, 'instance-worker.js');
    const [running, next] = [ask(server), ask(server)];
    await until('one that waits', () => waiting(server, 1));
    process.kill(worker.pid, 'SIGKILL');
    expect(await running).toMatchObject({
      status: 503,
      error: expect.stringMatching(/worker.*died \(killed by SIGKILL\)/),
    });
    expect(await next).toMatchObject({ status: 200 });
    const other = await child(server.child.pid!, 'instance-worker.js');
    expect(other.pid).not.toBe(worker.pid);
    const below = descendants(server.child.pid!);
    expect(await server.stop()).toBe(0);
    await gone(below);
  });
});

test('the ready line begins with "ready" and names both addresses', async () => {
  const child = start(['serve', 'null', '--rest-port', '0', '--grpc-port', '0']);
  const ended = finish(child);
  const line = await new Promise<string>((resolve) =>
    child.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  expect(line).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+ grpc:\/\/127\.0\.0\.1:\d+ null serial\n$/);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
});

function infer(tensor: Tensor): InferRequest {
  return { modelName: 'fashion-mlp', inputs: [tensor] };
}

/** True when so many requests wait for their first execution. */
async function waiting(server: Served, count: number): Promise<boolean> {
  const metrics = await (await fetch(`${server.restUrl}/metrics`)).text();
  return new RegExp(`^nv_inference_pending_request_count\\{.*\\} ${count}$`, 'm').test(metrics);
}

/** Sends only the head of a request; answers everything that comes back. */
function head(server: Served, lines: string): Promise<string> {
  const { hostname, port } = new URL(server.restUrl);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(`${lines}\r\nHost: x\r\n\r\n`));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes('\r\n\r\n{')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}
