import { type ClientHttp2Session, connect, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { encodeGrpcResponse } from '../../../servers/protocol/grpc-codec.js';
import { MessageReader } from '../../../servers/protocol/index.js';
import { emptyTimings } from '../../../servers/protocol/timings.js';
import { type Gateway, startGateway } from '../../../servers/routing/gateway.js';
import { balancingSchema } from '../../../servers/routing/index.js';
import { sameAnswer } from '../../../servers/routing/same-answer.js';

const INFER = '/inference.GRPCInferenceService/ModelInfer';
const servers: Http2Server[] = [];
const gateways: Gateway[] = [];
const sessions: ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
  for (const server of servers.splice(0)) server.close();
});

test('calls of one connection go to replicas in turn, byte for byte, with their trailers', async () => {
  const gateway = await gatewayOf({}, [echo, echo]);
  const client = clientOf(gateway);
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await ask(client, framed(`call ${i}`)));
  expect(answers.map(({ replica }) => replica)).toEqual(['primary/0', 'primary/1', 'primary/0', 'primary/1']);
  expect(answers[2]).toMatchObject({ http: 200, status: '0', body: 'call 2', trailers: { 'x-told': 'last' } });
  expect(attempts(gateway)).toEqual([2, 2]);
});

test('by connection all calls of a connection stay where it began; another connection goes elsewhere', async () => {
  const gateway = await gatewayOf({ level: 'connection' }, [echo, echo]);
  const seen = [];
  for (let c = 0; c < 2; c++) {
    const client = clientOf(gateway);
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(client, framed('x'))));
    seen.push([...new Set(answers.map(({ replica }) => replica))]);
  }
  expect(seen).toEqual([['primary/0'], ['primary/1']]);
});

test('UNAVAILABLE without a message, a reset and a refused connection are tried elsewhere, as over REST', async () => {
  const unavailable = (stream: ServerHttp2Stream) => trailersOnly(stream, 14);
  const resets = (stream: ServerHttp2Stream) => stream.close(2);
  for (const bad of [unavailable, resets]) {
    const gateway = await gatewayOf({ maxFails: 1 }, [bad, echo]);
    const client = clientOf(gateway);
    for (let i = 0; i < 3; i++)
      expect(await ask(client, framed('x'))).toMatchObject({ status: '0', replica: 'primary/1' });
    expect(gateway.counts().retries).toBe(1);
    expect(attempts(gateway)).toEqual([1, 3]);
  }
  const gateway = await gatewayOf({ maxFails: 1 }, [echo, echo]);
  servers.at(-2)!.close();
  const answers = await Promise.all(Array.from({ length: 3 }, () => ask(clientOf(gateway), framed('x'))));
  expect(answers.map(({ status, replica }) => [status, replica])).toEqual(Array(3).fill(['0', 'primary/1']));
});

test('an error of the model is handed on with its code and its words, and is not tried again', async () => {
  const gateway = await gatewayOf({}, [(stream) => trailersOnly(stream, 3, 'no such input'), echo]);
  expect(await ask(clientOf(gateway), framed('x'))).toMatchObject({ http: 200, status: '3', message: 'no such input' });
  expect(gateway.counts().retries).toBe(0);
});

test('an answer that does not come in time is DEADLINE_EXCEEDED; nobody up is UNAVAILABLE with the reason', async () => {
  const slow = await gatewayOf({ timeout: 50e6 }, [() => {}]);
  expect(await ask(clientOf(slow), framed('x'))).toMatchObject({ status: '4', reason: 'replica-timeout' });
  const down = await gatewayOf({}, [(stream) => stream.close(2)]);
  await ask(clientOf(down), framed('x'));
  expect(await ask(clientOf(down), framed('x'))).toMatchObject({ status: '14', reason: 'no-upstream' });
});

test('once a message has been forwarded nothing is tried again: the client sees a broken stream', async () => {
  const breaks = (stream: ServerHttp2Stream) => {
    stream.respond({ 'content-type': 'application/grpc' });
    stream.write(framed('half'));
    setTimeout(() => stream.close(2), 20);
  };
  const gateway = await gatewayOf({}, [breaks, echo]);
  await expect(ask(clientOf(gateway), framed('x'))).rejects.toThrow();
  expect(attempts(gateway)).toEqual([1, 0]);
});

test('a message longer than what is kept streams through whole, untried elsewhere', async () => {
  const large = 'x'.repeat(300_000);
  const gateway = await gatewayOf({ maxBuffered: 1000 }, [echo]);
  expect((await ask(clientOf(gateway), framed(large))).body).toBe(large);
  const broken = await gatewayOf({ maxBuffered: 1000 }, [(stream) => stream.close(2), echo]);
  expect(await ask(clientOf(broken), framed(large))).toMatchObject({ status: '14' });
  expect(attempts(broken)).toEqual([1, 0]);
});

test('a bidirectional stream gets answers before the client has said all', async () => {
  const echoes = (stream: ServerHttp2Stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('data', (chunk: Buffer) => stream.write(chunk));
    stream.on('end', () => stream.end());
  };
  const gateway = await gatewayOf({}, [echoes], false);
  const call = clientOf(gateway).request({ ...HEADERS, ':path': INFER.replace('ModelInfer', 'ModelStreamInfer') });
  for (const word of ['one', 'two']) {
    call.write(framed(word));
    const chunk = await new Promise<Buffer>((resolve) => call.once('data', resolve));
    expect(bodyOf(chunk)).toBe(word);
  }
  call.end();
  await new Promise((resolve) => call.once('end', resolve).resume());
});

test('what is no gRPC is told so in HTTP', async () => {
  const gateway = await gatewayOf({}, [echo]);
  const call = clientOf(gateway).request({ ':method': 'GET', ':path': '/' });
  const status = await new Promise((resolve) => call.once('response', (headers) => resolve(headers[':status'])));
  expect(status).toBe(415);
});

test('a shadow gets copies of calls; answers are held against each other, none leaks', async () => {
  const says = (value: number) => (stream: ServerHttp2Stream) => answer(stream, framedBytes(response([value])));
  const compared = async (other: (stream: ServerHttp2Stream) => void) => {
    const gateway = await started(['primary', 'other'], {}, { name: 'shadow', options: { compare: true } });
    gateway.join('primary', await replica('0', says(1)));
    gateway.join('other', await replica('0', other));
    const told = await ask(clientOf(gateway), framed('x'));
    expect(told).toMatchObject({ status: '0', replica: 'primary/0' });
    const ended = () => gateway.counts().mirror!.compared + gateway.counts().mirror!.failed;
    for (let i = 0; i < 400 && ended() === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    return gateway.counts().mirror!;
  };
  expect(await compared(says(1))).toMatchObject({ copied: 1, compared: 1, differed: 0 });
  expect(await compared(says(2))).toMatchObject({ copied: 1, compared: 1, differed: 1 });
  expect(await compared((stream) => stream.close(2))).toMatchObject({ copied: 1, failed: 1, compared: 0 });
});

test('two gRPC answers are the same where their outputs are, whatever else they say', () => {
  const of = (value: number, id: string) => ({
    status: 200,
    headers: { 'content-type': 'application/grpc' },
    body: framedBytes(response([value], id)),
  });
  expect(sameAnswer(of(1, 'a'), of(1, 'b'), 0)).toBe(true);
  expect(sameAnswer(of(1, 'a'), of(1.5, 'b'), 0)).toBe(false);
  expect(sameAnswer(of(1, 'a'), of(1.5, 'b'), 0.5)).toBe(true);
});

type Behaviour = (stream: ServerHttp2Stream, message: Buffer) => void;

function echo(stream: ServerHttp2Stream, message: Buffer): void {
  answer(stream, framedBytes(message));
}

function answer(stream: ServerHttp2Stream, frame: Buffer): void {
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-told': 'last' }));
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(frame);
}

function trailersOnly(stream: ServerHttp2Stream, status: number, message = ''): void {
  stream.respond(
    { 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': message },
    { endStream: true },
  );
}

function response(data: number[], id = 'a'): Buffer {
  const outputs = [
    {
      name: 'y',
      datatype: 'FP32' as const,
      shape: [data.length],
      data: new Uint8Array(Float32Array.from(data).buffer),
    },
  ];
  return encodeGrpcResponse({ modelName: 'm', inputs: [] }, { modelName: 'm', id, outputs }, emptyTimings(), 0);
}

async function gatewayOf(options: object, behaviours: readonly Behaviour[], whole = true): Promise<Gateway> {
  const gateway = await started(['primary'], options, { name: 'all', options: {} });
  for (const [n, behaviour] of behaviours.entries()) gateway.join('primary', await replica(`${n}`, behaviour, whole));
  return gateway;
}

async function started(pools: string[], options: object, route: { name: string; options: Record<string, unknown> }) {
  const balancing = balancingSchema.parse(options);
  const gateway = await startGateway({ port: 0, pools, grpc: true, balancing, route, seed: 1 });
  gateways.push(gateway);
  return gateway;
}

/** With `whole` it is asked when the request has ended. */
async function replica(name: string, behaviour: Behaviour, whole = true) {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    if (!whole) {
      behaviour(stream, Buffer.alloc(0));
      return;
    }
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => behaviour(stream, Buffer.concat(chunks).subarray(5)));
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  return { name, url: 'http://127.0.0.1:9', grpc: `127.0.0.1:${port}`, weight: 1, instances: 1 };
}

function clientOf(gateway: Gateway): ClientHttp2Session {
  const session = connect(`http://${gateway.grpc}`);
  sessions.push(session);
  return session;
}

const HEADERS = { ':method': 'POST', ':path': INFER, 'content-type': 'application/grpc', te: 'trailers' };

interface Asked {
  readonly http: number;
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly reason: string | undefined;
  readonly replica: string | undefined;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

function ask(client: ClientHttp2Session, frame: Buffer): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const call = client.request(HEADERS);
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    call.on('response', (headers) => {
      head = { ...headers };
    });
    call.on('trailers', (headers) => {
      trailers = { ...headers };
    });
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', reject);
    call.on('close', () => {
      if (call.rstCode !== 0) reject(new Error(`reset with code ${call.rstCode}`));
      const all = { ...head, ...trailers } as Record<string, string | undefined>;
      resolve({
        http: head[':status'] as number,
        status: all['grpc-status'],
        message: all['grpc-message'],
        reason: all['servemark-reason'],
        replica: all['servemark-replica'],
        body: chunks.length > 0 ? bodyOf(Buffer.concat(chunks)) : '',
        trailers,
      });
    });
    call.end(frame);
  });
}

function bodyOf(frame: Buffer): string {
  const reader = new MessageReader({ maxBytes: 10_000_000 });
  reader.feed(frame);
  return reader.message.toString();
}

function framed(text: string): Buffer {
  return framedBytes(Buffer.from(text));
}

function framedBytes(message: Buffer): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

function attempts(gateway: Gateway): number[] {
  return gateway.counts().pools[0]!.replicas.map((each) => each.attempts);
}
