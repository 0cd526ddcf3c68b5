import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { CallResult, Transport } from '../../../clients/transports/contract.js';
import { createTransport } from '../../../clients/transports/index.js';
import { frameGrpcResponse } from '../../../servers/protocol/grpc-codec.js';
import { emptyTimings } from '../../../servers/protocol/timings.js';
import type { InferRequest } from '../../../servers/protocol/types.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const REQUEST: InferRequest = { modelName: 'm', inputs: [tensor(4)] };
const FRAME = answerOf(16);
const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

/** An HTTP/2 server that answers stream n (from 0), whose request has come in full, as it is told. */
async function serve(answer: (stream: ServerHttp2Stream, n: number, body: Buffer) => void) {
  const sessions: ServerHttp2Session[] = [];
  let streams = 0;
  const server: Http2Server = createServer({ settings: { initialWindowSize: 2 ** 20 } });
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream) => {
    const n = streams++;
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, n, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, sessions };
}

function connect(url: string, connections = 4, responses = true): Transport {
  const transport = createTransport('grpc', { url, model: 'm', connections, timeoutNs: 5e9, responses });
  closing.unshift(() => transport.close());
  return transport;
}

function call(transport: Transport, request = REQUEST): Promise<CallResult> {
  return new Promise((resolve) => transport.infer(transport.encode(request), resolve));
}

/** Answers in these pieces, a write each, then with the trailers. */
function reply(stream: ServerHttp2Stream, pieces: readonly Buffer[], trailers: Record<string, string> = OK): void {
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  const next = (i: number): void => {
    if (i === pieces.length) stream.end();
    else stream.write(pieces[i], () => setImmediate(next, i + 1));
  };
  next(0);
}

const OK = { 'grpc-status': '0' };

describe('the lean gRPC client', () => {
  test('a message that comes byte by byte is one message, with and without its tensors', async () => {
    const bytes = Array.from(FRAME, (byte) => Buffer.from([byte]));
    const { url } = await serve((stream) => reply(stream, bytes));
    const whole = await call(connect(url));
    expect(whole.response?.().outputs[0]?.data).toHaveLength(16);
    const timed = await call(connect(url, 1, false));
    expect([whole.outcome, timed.outcome, timed.response]).toEqual(['ok', 'ok', undefined]);
    expect([whole.timings?.batchSize, timed.timings?.batchSize]).toEqual([3, 3]);
  });

  test('600 kB arrive as they were sent, one tensor behind its own head', async () => {
    let received: Buffer = Buffer.alloc(0);
    const { url } = await serve((stream, _n, body) => {
      received = body;
      reply(stream, [answerOf(600_000)]);
    });
    const data = new Uint8Array(Float32Array.from({ length: 150_000 }, (_, i) => i).buffer);
    const transport = connect(url, 1, false);
    const large = { ...REQUEST, inputs: [{ ...tensor(150_000), data }] };
    const encoded = transport.encode(large) as readonly Uint8Array[];
    expect(encoded.map((chunk) => chunk === data)).toEqual([false, true]);
    expect((await call(transport, large)).timings?.executionId).toBe(0);
    expect(received.readUInt32BE(1)).toBe(received.length - 5);
    expect(Buffer.compare(received.subarray(-600_000), data)).toBe(0);
  });

  test.each<[what: string, pieces: Buffer[], trailers: Record<string, string>, message: RegExp]>([
    ['a compressed message', [Buffer.from([1, 0, 0, 0, 1, 7])], OK, /compressed; expected none/],
    ['a message that is cut off', [FRAME.subarray(0, -1)], OK, /ended before its message was complete/],
    ['no message', [], OK, /ended before its message was complete/],
    ['two messages', [FRAME, FRAME], OK, /bytes behind the message/],
    ['no status', [FRAME], { 'x-y': '1' }, /no grpc-status/],
    ['a message that is no ModelInferResponse', [Buffer.from([0, 0, 0, 0, 2, 0x0a, 9])], OK, /malformed protobuf/],
  ])('%s fails as malformed', async (_what, pieces, trailers, message) => {
    const { url } = await serve((stream) => reply(stream, pieces, trailers));
    const result = await call(connect(url));
    expect(result).toMatchObject({ outcome: 'failed', errorCode: 'malformed' });
    expect(result.errorMessage).toMatch(message);
  });

  test('a refusal brings its status and percent-decoded message, in trailers or in the head', async () => {
    const trailers = { 'grpc-status': '14', 'grpc-message': 'f%C3%BCll 100%', 'servemark-reason': 'queue-full' };
    const { url } = await serve((stream, n) => {
      if (n === 0) reply(stream, [], { ...trailers, 'grpc-message': 'f%C3%BCll' });
      else stream.respond({ ...HEAD, ...trailers }, { endStream: true });
    });
    const transport = connect(url);
    expect(await call(transport)).toMatchObject({
      outcome: 'rejected',
      errorCode: 'queue-full',
      errorMessage: 'füll',
    });
    // What is not sound percent-encoding is shown as it came.
    expect(await call(transport)).toMatchObject({ outcome: 'rejected', errorMessage: 'f%C3%BCll 100%' });
  });

  test('an answer that is no gRPC is told by its HTTP status or type', async () => {
    const { url } = await serve((stream, n) => {
      stream.respond({ ':status': n === 0 ? 503 : 200, 'content-type': 'text/html' });
      stream.end('<html>');
    });
    const transport = connect(url);
    expect(await call(transport)).toMatchObject({ outcome: 'rejected', errorCode: 'UNAVAILABLE' });
    expect(await call(transport)).toMatchObject({
      errorCode: 'malformed',
      errorMessage: expect.stringMatching(/content-type is text\/html/),
    });
  });

  test('a reset stream fails by the name of its code; a refused one is sent once more', async () => {
    const { url } = await serve((stream, n) => {
      if (n === 0) stream.close(11);
      else if (n === 1 || n >= 3) stream.close(7);
      else reply(stream, [FRAME]);
    });
    const transport = connect(url);
    expect(await call(transport)).toMatchObject({ outcome: 'failed', errorCode: 'ENHANCE_YOUR_CALM' });
    expect(await call(transport)).toMatchObject({ outcome: 'ok' });
    expect(await call(transport)).toMatchObject({ outcome: 'failed', errorCode: 'REFUSED_STREAM' });
  });

  test('a server that says goodbye answers what it has; the next call has a new connection', async () => {
    const { url, sessions } = await serve((stream, n) => {
      if (n === 0) stream.session?.goaway(0);
      setTimeout(() => reply(stream, [FRAME]), 20);
    });
    const transport = connect(url);
    expect((await call(transport)).outcome).toBe('ok');
    expect((await call(transport)).outcome).toBe('ok');
    expect(sessions).toHaveLength(2);
  });

  test('a connection that breaks fails its calls; the next one opens another', async () => {
    const { url, sessions } = await serve((stream, n) => {
      if (n === 1) stream.session?.destroy();
      else if (n > 1) reply(stream, [FRAME]);
    });
    const transport = connect(url);
    const broken = await Promise.all([call(transport), call(transport)]);
    expect(broken.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect((await call(transport)).outcome).toBe('ok');
    expect(sessions).toHaveLength(2);
  });

  test('250 connections of concurrency are 3 HTTP/2 connections, used in turn', async () => {
    const { url, sessions } = await serve((stream) => reply(stream, [FRAME]));
    const transport = connect(url, 250);
    const results = await Promise.all(Array.from({ length: 250 }, () => call(transport)));
    expect(results.every(({ outcome }) => outcome === 'ok')).toBe(true);
    expect(sessions).toHaveLength(3);
  });

  test('closing fails what is under way, once', async () => {
    const { url, sessions } = await serve(() => {});
    const transport = connect(url);
    const results: CallResult[] = [];
    transport.infer(transport.encode(REQUEST), (result) => results.push(result));
    await expect.poll(() => sessions.length).toBe(1);
    await transport.close();
    await expect.poll(() => results.length).toBe(1);
    expect(results[0]).toMatchObject({ outcome: 'failed' });
  });
});

function tensor(floats: number) {
  return { name: 'x', datatype: 'FP32' as const, shape: [1, floats], data: new Uint8Array(floats * 4) };
}

function answerOf(bytes: number): Buffer {
  const outputs = [{ ...tensor(bytes / 4), name: 'y' }];
  const timings = { ...emptyTimings(), batchSize: 3 };
  return Buffer.concat(frameGrpcResponse(REQUEST, { modelName: 'm', outputs }, timings, 0));
}
