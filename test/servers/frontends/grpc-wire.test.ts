import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { Client, credentials, type ServiceDefinition } from '@grpc/grpc-js';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frontend } from '../../../servers/frontends/contract.js';
import { grpc } from '../../../servers/frontends/grpc.js';
import { grpcJs } from '../../../servers/frontends/grpc-js.js';
import { timeoutMs } from '../../../servers/frontends/grpc-timeout.js';
import { frameGrpcRequest } from '../../../servers/protocol/grpc-codec.js';
import { loadInferenceProto } from '../../../servers/protocol/grpc-service.js';
import { EchoModel, PAIR } from '../../fakes/echo-model.js';

const LIMITS = { maxBodyBytes: 100_000, maxHeaderBytes: 16_384 };
const INFER = '/inference.GRPCInferenceService/ModelInfer';
const FRAME = Buffer.concat(
  frameGrpcRequest({
    modelName: 'pair',
    inputs: [
      { name: 'in_a', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) },
      { name: 'in_b', datatype: 'BYTES', shape: [1], data: Buffer.from([1, 0, 0, 0, 65]) },
    ],
  }),
);

describe.each([grpc, grpcJs])('the frontend $name on the wire', (definition) => {
  const service = new EchoModel(PAIR);
  let frontend: Frontend;
  let session: ClientHttp2Session;
  beforeAll(async () => {
    frontend = await definition.start(service, { host: '127.0.0.1', port: 0, limits: LIMITS });
    session = connect(`http://${frontend.address}`);
    session.on('error', () => {});
  });
  afterAll(async () => {
    session.destroy();
    await frontend.close();
  });

  const ask = (pieces: readonly Buffer[], headers: OutgoingHttpHeaders = {}) => exchange(session, pieces, headers);

  test('a request that comes byte by byte is answered', async () => {
    const { headers, trailers, body } = await ask(Array.from(FRAME, (byte) => Buffer.from([byte])));
    expect([headers[':status'], headers['content-type']?.split('+')[0]]).toEqual([200, 'application/grpc']);
    expect(trailers['grpc-status']).toBe('0');
    expect(body.readUInt32BE(1)).toBe(body.length - 5);
  });

  test('a content type with a codec’s name is gRPC, too; another is 415, another method than POST not served', async () => {
    const named = await ask([FRAME], { 'content-type': 'application/grpc+proto' });
    expect(named.trailers['grpc-status']).toBe('0');
    expect((await ask([FRAME], { 'content-type': 'application/json' })).headers[':status']).toBe(415);
  });

  test('compression is refused as UNIMPLEMENTED', async () => {
    const flagged = Buffer.from(FRAME);
    flagged[0] = 1;
    const { trailers } = await ask([flagged], { 'grpc-encoding': 'snappy' });
    expect(trailers['grpc-status']).toBe('12');
  });

  test('an unknown method is UNIMPLEMENTED', async () => {
    const { trailers } = await ask([FRAME], { ':path': '/inference.GRPCInferenceService/Train' });
    expect(trailers['grpc-status']).toBe('12');
  });

  test('a message that is announced beyond the limit is RESOURCE_EXHAUSTED before it has come', async () => {
    const { trailers } = await ask([Buffer.from([0, 0, 0x7f, 0, 0])]);
    expect(trailers['grpc-status']).toBe('8');
  });

  test('a deadline that passes at the server cancels the request', async () => {
    service.cancelled = 0;
    const before = service.received.length;
    const hanging = Buffer.concat(
      frameGrpcRequest({ modelName: 'pair', inputs: [], parameters: { behaviour: 'hang' } }),
    );
    const { trailers } = await ask([hanging], { 'grpc-timeout': '50m' });
    expect([trailers['grpc-status'], service.received.length - before]).toEqual(['4', 1]);
    await expect.poll(() => service.cancelled).toBe(1);
  });

  test('reflection lists the services in both of its versions', async () => {
    for (const version of ['v1', 'v1alpha']) {
      const client = new Client(frontend.address, credentials.createInsecure());
      const call = client.makeBidiStreamRequest(
        `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
      );
      const answers: Buffer[] = [];
      call.on('data', (answer: Buffer) => answers.push(answer));
      const ended = new Promise((resolve) => call.on('status', resolve));
      // list_services = 7: two questions on one stream.
      call.write(Buffer.from([0x3a, 1, 0x2a]));
      call.write(Buffer.from([0x3a, 1, 0x2a]));
      call.end();
      expect(await ended).toMatchObject({ code: 0 });
      expect(answers.map((answer) => answer.toString('latin1').includes('inference.GRPCInferenceService'))).toEqual([
        true,
        true,
      ]);
      client.close();
    }
  });

  test('a watcher of health hears of changes, and is let go', async () => {
    const health = loadInferenceProto([healthProtoPath])['grpc.health.v1.Health'] as ServiceDefinition;
    const { path, requestSerialize, responseDeserialize } = health.Watch!;
    const client = new Client(frontend.address, credentials.createInsecure());
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' });
    const heard: string[] = [];
    call.on('data', ({ status }: { status: string }) => heard.push(status));
    call.on('error', () => {});
    await expect.poll(() => heard).toEqual(['SERVING']);
    service.isReady = false;
    await expect.poll(() => heard, { timeout: 3000 }).toEqual(['SERVING', 'NOT_SERVING']);
    service.isReady = true;
    call.cancel();
    client.close();
  });

  test('closing says goodbye to idle connections and to those with a call, which is answered first', async () => {
    const own = await definition.start(service, { host: '127.0.0.1', port: 0, limits: LIMITS });
    const busy = connect(`http://${own.address}`);
    const idle = connect(`http://${own.address}`);
    const goodbyes: string[] = [];
    busy.on('goaway', () => goodbyes.push('busy'));
    idle.on('close', () => goodbyes.push('idle'));
    const before = service.received.length;
    const hanging = frameGrpcRequest({ ...request(), parameters: { behaviour: 'hang' } });
    const answer = exchange(busy, [Buffer.concat(hanging)], {});
    await expect.poll(() => service.received.length).toBe(before + 1);
    const closed = own.close();
    await expect.poll(() => goodbyes.toSorted()).toEqual(['busy', 'idle']);
    service.release();
    expect((await answer).trailers['grpc-status']).toBe('0');
    await closed;
  });
});

test('grpc: a head beyond the limit ends its stream only', async () => {
  const frontend = await grpc.start(new EchoModel(PAIR), { host: '127.0.0.1', port: 0, limits: LIMITS });
  const session = connect(`http://${frontend.address}`);
  const ask = (headers: OutgoingHttpHeaders) => exchange(session, [FRAME], headers);
  // The limit holds once the client has agreed to it.
  expect((await ask({})).trailers['grpc-status']).toBe('0');
  await expect(ask({ 'x-long': 'x'.repeat(20_000) })).rejects.toThrow(/ENHANCE_YOUR_CALM/);
  expect((await ask({})).trailers['grpc-status']).toBe('0');
  session.destroy();
  await frontend.close();
});

test.each([
  ['20m', 20],
  ['3S', 3000],
  ['1H', 3_600_000],
  ['1500u', 2],
  ['1n', 1],
  ['99999999H', 2 ** 31 - 1],
  ['x', undefined],
  ['', undefined],
  [undefined, undefined],
])('grpc-timeout %s is %s ms', (header, ms) => {
  expect(timeoutMs(header)).toBe(ms);
});

function request() {
  return {
    modelName: 'pair',
    inputs: [
      { name: 'in_a', datatype: 'FP32' as const, shape: [1, 2], data: Buffer.alloc(8) },
      { name: 'in_b', datatype: 'BYTES' as const, shape: [1], data: Buffer.from([1, 0, 0, 0, 65]) },
    ],
  };
}

interface Answer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number | undefined };
  /** The head, where it is the trailers too. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A POST in these pieces, on a stream of its own. */
function exchange(session: ClientHttp2Session, pieces: readonly Buffer[], extra: OutgoingHttpHeaders): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const head = { ':method': 'POST', ':path': INFER, 'content-type': 'application/grpc', te: 'trailers', ...extra };
    const stream = session.request(head);
    const chunks: Buffer[] = [];
    let headers: Answer['headers'] = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (found) => {
      headers = found;
      trailers = found;
    });
    stream.on('trailers', (found) => {
      trailers = found;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () =>
      headers[':status'] === undefined
        ? reject(new Error('no answer'))
        : resolve({ headers, trailers, body: Buffer.concat(chunks) }),
    );
    const next = (i: number): void => {
      if (stream.closed || stream.destroyed) return;
      if (i === pieces.length) stream.end();
      else stream.write(pieces[i], () => setImmediate(next, i + 1));
    };
    next(0);
  });
}
