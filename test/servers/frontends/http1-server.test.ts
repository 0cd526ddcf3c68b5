import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpExchange } from '../../../servers/frontends/http1-connection.js';
import { type Http1Options, Http1Server } from '../../../servers/frontends/http1-server.js';

/** Answers with method, target and body; `/slow` when told to; `/big` with 8 MB. */
let held: HttpExchange[] = [];
let gone = 0;
let server: Http1Server;
let clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  held = [];
  gone = 0;
  await server.close();
});

const BIG = Buffer.alloc(8 * 1024 ** 2, 'x');

async function start(options: Partial<Http1Options> = {}): Promise<void> {
  server = await Http1Server.start('test', {
    host: '127.0.0.1',
    port: 0,
    maxHeadBytes: 1000,
    maxBodyBytes: 500_000,
    handle(exchange) {
      if (exchange.head.target === '/big') exchange.answer(200, '', '', BIG.length, [BIG]);
      else if (exchange.head.target === '/slow') {
        held.push(exchange);
        exchange.gone = { cancel: () => gone++ };
      } else echo(exchange);
    },
    ...options,
  });
}

function echo(exchange: HttpExchange): void {
  const { head, bytes } = exchange;
  const text = `${head.method} ${head.target} ${bytes.length > 100 ? bytes.length : bytes.toString('latin1')}`;
  exchange.answer(200, 'X: y\r\n', text, text.length);
}

/** A raw connection: what it has heard, and what it says. */
function dial(): {
  socket: Socket;
  heard: () => string;
  say: (text: string) => void;
  until: (part: string) => Promise<string>;
  end: Promise<string>;
} {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  clients.push(socket);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  const end = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) await pause();
    return text;
  };
  return { socket, heard: () => text, say: (what) => socket.write(what, 'latin1'), until, end };
}

const pause = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));
const request = (method: string, target: string, body = '', fields = '') =>
  `${method} ${target} HTTP/1.1\r\nHost: h\r\n${fields}${body && `Content-Length: ${body.length}\r\n`}\r\n${body}`;
const CHUNKED = 'POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';
const bodies = (text: string) => [...text.matchAll(/\r\n\r\n([^\r]*?)(?=HTTP\/1\.1|$)/g)].map((match) => match[1]);

describe('requests', () => {
  test.each([
    ['without a body', request('GET', '/a'), 'GET /a '],
    ['of a length', request('POST', '/b', 'hello'), 'POST /b hello'],
    ['in chunks', `${CHUNKED}3;x="y"\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n`, 'POST /c hello'],
    ['of 40 kB', request('POST', '/l', 'x'.repeat(40_000)), 'POST /l 40000'],
    ['after empty lines', `\r\n\r\n${request('GET', '/e')}`, 'GET /e '],
  ])('One %s is read the same whole, in halves and byte by byte', async (_, text, expected) => {
    await start();
    const client = dial();
    client.say(text);
    await client.until(expected);
    client.say(text.slice(0, text.length / 2));
    await pause(2);
    client.say(text.slice(text.length / 2) + request('GET', '/next'));
    await client.until('GET /next');
    if (text.length < 1000)
      for (const byte of text) {
        client.say(byte);
        if (byte === '\n') await pause(0);
      }
    client.say(request('GET', '/last', '', 'Connection: close\r\n'));
    expect(bodies(await client.end)).toEqual([
      expected,
      expected,
      'GET /next ',
      ...(text.length < 1000 ? [expected] : []),
      'GET /last ',
    ]);
  });

  test('Pipelined requests are answered in order, one at a time', async () => {
    await start();
    const client = dial();
    client.say(
      request('GET', '/1') +
        request('GET', '/slow') +
        request('POST', '/3', 'x') +
        request('POST', '/4', 'y'.repeat(200_000)),
    );
    await client.until('GET /1');
    while (held.length === 0) await pause();
    await pause(5);
    expect(client.heard()).not.toContain('/3');
    echo(held[0]!);
    expect(bodies(await client.until('/4 200000'))).toEqual(['GET /1 ', 'GET /slow ', 'POST /3 x', 'POST /4 200000']);
  });

  test('HEAD is answered without the body, a 1.0 client that stays is told so', async () => {
    await start();
    const client = dial();
    client.say(request('HEAD', '/h'));
    expect(await client.until('\r\n\r\n')).toMatch(
      /^HTTP\/1.1 200 OK\r\nX: y\r\nContent-Length: 8\r\nDate: .* GMT\r\n\r\n$/,
    );
    client.say('GET /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(await client.until('GET /o')).toContain('Connection: keep-alive\r\n');
    client.say('GET /p HTTP/1.0\r\n\r\n');
    expect(await client.end).toContain('Connection: close\r\n');
  });

  test('A client that waits for 100-continue hears it, one whose body is too long hears 413 instead', async () => {
    await start();
    const client = dial();
    client.say('POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.say('hello');
    await client.until('POST /x hello');
    const other = dial();
    other.say('POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 500001\r\n\r\n');
    expect(await other.end).toMatch(/^HTTP\/1.1 413 /);
  });

  test('A client that does not read holds back its own next request only', async () => {
    await start();
    const slow = dial();
    slow.socket.pause();
    slow.say(request('GET', '/big') + request('GET', '/slow'));
    const other = dial();
    other.say(request('GET', '/a'));
    await other.until('GET /a');
    await pause(20);
    expect(held).toHaveLength(0);
    slow.socket.resume();
    while (held.length === 0) await pause();
  });
});

describe('what is refused', () => {
  test.each([
    ['a head that is too long', `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(2000)}\r\n\r\n`, 431],
    ['a head without end', `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(2000)}`, 431],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['line feeds alone', 'GET / HTTP/1.1\nHost: h\n\n', 400],
    ['a body that is announced too long', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500001\r\n\r\n', 413],
    ['chunks that grow too long', `${CHUNKED}${`186a0\r\n${'x'.repeat(100_000)}\r\n`.repeat(6)}`, 413],
    ['a chunk without size', `${CHUNKED}x\r\n`, 400],
    ['a chunk size with a line feed alone', `${CHUNKED}1;\nx\r\n`, 400],
    ['a chunk longer than its size', `${CHUNKED}1\r\nxy\r\n`, 400],
    [
      'a request behind a good one',
      `${request('GET', '/a')}GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      400,
    ],
  ])('%s: the answer comes, the connection ends, nobody else is disturbed', async (_, text, status) => {
    await start();
    const client = dial();
    client.say(text);
    const heard = await client.end;
    expect(heard).toMatch(new RegExp(`HTTP/1.1 ${status} .*Connection: close\r\n\r\n{"error":`, 's'));
    const other = dial();
    other.say(request('GET', '/alive'));
    await other.until('GET /alive');
  });
});

describe('time', () => {
  const SHORT = { idleMs: 60, headMs: 60, bodyMs: 60, writeMs: 60, lingerMs: 40 };

  test.each([
    ['a head', 'GET / HT'],
    ['a body', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel'],
    ['chunks', `${CHUNKED}5\r\nhel`],
  ])('%s that does not come in time is 408', async (_, text) => {
    await start({ timeouts: SHORT });
    const client = dial();
    client.say(text);
    expect(await client.end).toMatch(/^HTTP\/1.1 408 /);
  });

  test('An idle connection ends without a word; one that waits for its answer does not', async () => {
    await start({ timeouts: SHORT });
    const waiting = dial();
    waiting.say(request('GET', '/slow'));
    expect(await dial().end).toBe('');
    echo(held[0]!);
    await waiting.until('GET /slow');
  });

  test('A client that never reads is given up', async () => {
    await start({ timeouts: SHORT });
    const client = dial();
    client.socket.pause();
    client.say(request('GET', '/big'));
    await server.close();
  });
});

describe('the end', () => {
  test('A client that goes away is told of once, one that was answered is not', async () => {
    await start();
    const client = dial();
    client.say(request('GET', '/slow'));
    while (held.length === 0) await pause();
    client.socket.destroy();
    while (gone === 0) await pause();
    held[0]!.answer(200, '', 'late', 4);
    const other = dial();
    other.say(request('GET', '/a'));
    await other.until('GET /a');
    other.socket.destroy();
    await pause(5);
    expect(gone).toBe(1);
  });

  test('Closing answers what is under way and says that the connection ends', async () => {
    await start();
    const idle = dial();
    const busy = dial();
    idle.say(request('GET', '/a'));
    busy.say(request('GET', '/slow'));
    await idle.until('GET /a');
    while (held.length === 0) await pause();
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    await idle.end;
    expect(closed).toBe(false);
    echo(held[0]!);
    expect(await busy.end).toMatch(/Connection: close\r\n\r\nGET \/slow/);
    await closing;
  });
});
