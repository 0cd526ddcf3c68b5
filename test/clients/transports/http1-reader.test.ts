import { describe, expect, test } from 'vitest';
import { ResponseReader } from '../../../clients/transports/http1-reader.js';
import { MalformedHttp } from '../../../servers/protocol/index.js';

/** What a reader makes of these pieces: a line a response, and a last one for what is not complete. */
function read(...pieces: string[]): string[] {
  const reader = new ResponseReader();
  const heard: string[] = [];
  let status = 0;
  let body = '';
  const sink = {
    head: (found: number) => {
      status = found;
      body = '';
    },
    body: (bytes: Buffer) => {
      body += bytes.toString('latin1');
    },
  };
  for (const piece of pieces)
    if (reader.feed(Buffer.from(piece, 'latin1'), sink))
      heard.push(`${status} ${body}${reader.keepAlive ? '' : ' (closes)'}`);
  if (reader.end()) heard.push(`${status} ${body} (ended)`);
  return heard;
}

const SIZED = 'HTTP/1.1 200 OK\r\nX: y\r\ncontent-LENGTH: 5\r\n\r\nhello';
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3;name="v"\r\nhel\r\n2 \r\nlo\r\n0\r\nTrailer: 1\r\n\r\n';

describe('ResponseReader', () => {
  test.each([
    ['a body of announced length', SIZED, '200 hello'],
    ['a body in chunks, with extensions and trailers', CHUNKED, '200 hello'],
    ['no body', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', '503 '],
    ['a 204 without any length', 'HTTP/1.1 204 None\r\n\r\n', '204 '],
    ['an interim response first', `HTTP/1.1 100 Continue\r\n\r\n${SIZED}`, '200 hello'],
  ])('%s reads the same whole and byte by byte', (_, text, expected) => {
    expect(read(text)).toEqual([expected]);
    expect(read(...text)).toEqual([expected]);
  });

  test('the connection stays or closes as version and header say', () => {
    expect(read(SIZED.replace('X: y', 'Connection: close'))).toEqual(['200 hello (closes)']);
    expect(read(SIZED.replace('X: y', 'Connection: keep-alive, X-Y'))).toEqual(['200 hello']);
    expect(read(SIZED.replace('1.1', '1.0'))).toEqual(['200 hello (closes)']);
    expect(read(SIZED.replace('1.1', '1.0').replace('X: y', 'Connection: Keep-Alive'))).toEqual(['200 hello']);
  });

  test('without a length the body goes up to the end of the connection', () => {
    expect(read('HTTP/1.1 200 OK\r\n\r\nhel', 'lo')).toEqual(['200 hello (ended)']);
  });

  test('one after the other on one connection', () => {
    expect(read(SIZED, CHUNKED, SIZED)).toEqual(['200 hello', '200 hello', '200 hello']);
  });

  test('bytes behind a response mean that the connection is not kept', () => {
    expect(read(`${SIZED}HTTP`)).toEqual(['200 hello (closes)']);
  });

  test('a response that has not ended is none', () => {
    expect(read(SIZED.slice(0, -1))).toEqual([]);
    expect(read(CHUNKED.slice(0, -2))).toEqual([]);
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['a length that is no number', SIZED.replace('5', '5x')],
    ['a chunk without a size', CHUNKED.replace('3;', 'x;')],
    ['a chunk longer than its size', CHUNKED.replace('hel', 'helo')],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}`],
  ])('%s is malformed', (_, text) => {
    expect(() => read(text)).toThrow(MalformedHttp);
  });
});
