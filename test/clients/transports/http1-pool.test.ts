import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Exchange, Http1Pool } from '../../../clients/transports/http1-pool.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that counts its connections and answers request n (from 0) as it is told. */
async function serve(answer: (socket: Socket, text: string, n: number) => void) {
  const sockets: Socket[] = [];
  let requests = 0;
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => answer(socket, bytes.toString('latin1'), requests++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), sockets };
}

function poolAt(origin: URL, connections: number): Http1Pool {
  const pool = new Http1Pool(origin, connections);
  closing.push(() => pool.destroy());
  return pool;
}

/** Sends a message; resolves with the body, or with the code of its failure. */
function ask(pool: Http1Pool, text: string, settled = false): Promise<string> & { abort(): void } {
  let connection: { destroy(): void } | undefined;
  let body = '';
  const promise = new Promise<string>((resolve) => {
    const exchange: Exchange = {
      message: Buffer.from(text),
      settled,
      sent: (over) => {
        connection = over;
      },
      head: () => {},
      body: (bytes) => {
        body += bytes.toString();
      },
      end: () => resolve(body),
      failed: (code) => resolve(code),
    };
    pool.dispatch(exchange);
  });
  return Object.assign(promise, { abort: () => connection?.destroy() });
}

const reply = (socket: Socket, text: string, headers = '') =>
  socket.write(`HTTP/1.1 200 OK\r\n${headers}Content-Length: ${text.length}\r\n\r\n${text}`);

describe('Http1Pool', () => {
  test('requests one after the other share a connection', async () => {
    const { origin, sockets } = await serve((socket, text) => reply(socket, text));
    const pool = poolAt(origin, 4);
    for (const text of ['a', 'b', 'c']) expect(await ask(pool, text)).toBe(text);
    expect(sockets).toHaveLength(1);
  });

  test('no more connections than allowed; those that wait go out in order, without those nobody waits for', async () => {
    const seen: string[] = [];
    const { origin, sockets } = await serve((socket, text) => {
      seen.push(text);
      setImmediate(() => reply(socket, text));
    });
    const pool = poolAt(origin, 1);
    const answers = [ask(pool, 'a'), ask(pool, 'b'), ask(pool, 'never', true), ask(pool, 'c')];
    expect(await Promise.all([answers[0], answers[1], answers[3]])).toEqual(['a', 'b', 'c']);
    expect([seen, sockets.length]).toEqual([['a', 'b', 'c'], 1]);
  });

  test('a connection that the server closes is replaced, before or after `Connection: close` says so', async () => {
    const { origin, sockets } = await serve((socket, text, n) => {
      reply(socket, text, n === 0 ? 'Connection: close\r\n' : '');
      if (n === 1) socket.end();
    });
    const pool = poolAt(origin, 1);
    expect(await ask(pool, 'a')).toBe('a');
    expect(await ask(pool, 'b')).toBe('b');
    await once(sockets[1]!, 'close');
    expect(await ask(pool, 'c')).toBe('c');
    expect(sockets).toHaveLength(3);
  });

  test('a server that hangs up fails the request on its way and not those behind it', async () => {
    const { origin } = await serve((socket, text, n) => {
      if (n === 0) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      else reply(socket, text);
    });
    const pool = poolAt(origin, 1);
    expect(await Promise.all([ask(pool, 'a'), ask(pool, 'b')])).toEqual(['ECONNRESET', 'b']);
  });

  test('what is no HTTP fails as malformed', async () => {
    const { origin } = await serve((socket) => socket.write('hello\r\n\r\n'));
    expect(await ask(poolAt(origin, 1), 'a')).toBe('malformed');
  });

  test('a body without a length ends with its connection', async () => {
    const { origin } = await serve((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    expect(await ask(poolAt(origin, 1), 'a')).toBe('all of it');
  });

  test('an answer before the request was read in full is an answer; the connection is not used again', async () => {
    const { origin, sockets } = await serve((socket, text, n) => {
      if (n === 0) socket.pause();
      reply(socket, n === 0 ? 'too large' : text);
    });
    const pool = poolAt(origin, 1);
    expect(await ask(pool, 'x'.repeat(32 * 1024 ** 2))).toBe('too large');
    expect(await ask(pool, 'b')).toBe('b');
    expect(sockets).toHaveLength(2);
  });

  test('breaking off one request closes its connection and lets the next go', async () => {
    const { origin, sockets } = await serve((socket, text, n) => n > 0 && reply(socket, text));
    const pool = poolAt(origin, 1);
    const first = ask(pool, 'a');
    const second = ask(pool, 'b');
    await expect.poll(() => sockets.length).toBe(1);
    first.abort();
    expect(await Promise.all([first, second])).toEqual(['ECONNRESET', 'b']);
  });

  test('destroying it fails what is under way and what waits', async () => {
    const { origin } = await serve(() => {});
    const pool = poolAt(origin, 1);
    const answers = [ask(pool, 'a'), ask(pool, 'b')];
    pool.destroy();
    expect(await Promise.all(answers)).toEqual(['ECONNRESET', 'closed']);
  });
});

test('A request is told to be written when its last byte is: 16 MB wait for a server that reads only after 100 ms', async () => {
  const { origin } = await serve((socket) => {
    socket.pause();
    setTimeout(() => {
      socket.removeAllListeners('data');
      let length = 0;
      socket.on('data', (bytes) => {
        length += bytes.length;
        if (length > 15e6) setTimeout(() => reply(socket, 'done'), 50);
      });
      socket.resume();
    }, 100);
  });
  const began = performance.now();
  let written = 0;
  const pool = poolAt(origin, 1);
  await new Promise<void>((resolve) => {
    pool.dispatch({
      ...{ message: Buffer.alloc(16e6, 'x'), settled: false, sent: () => {}, head: () => {}, body: () => {} },
      written: () => {
        written ||= performance.now();
      },
      end: resolve,
      failed: () => resolve(),
    });
  });
  expect(written - began).toBeGreaterThanOrEqual(99);
});
