import { describe, expect, test } from 'vitest';
import { parseHead, RefusedRequest } from '../../../servers/frontends/http1-head.js';

const GOOD = 'POST /v2/models/m/infer?x=1 HTTP/1.1\r\nHost: h\r\nContent-LENGTH: 12\r\nX-A: 1\r\nx-a:  2 ';

describe('parseHead', () => {
  test('What routing and framing need, names in lower case, lines of one name joined', () => {
    const head = parseHead(GOOD);
    expect(head).toMatchObject({ method: 'POST', target: '/v2/models/m/infer?x=1', length: 12, keepAlive: true });
    expect(Object.fromEntries(head.headers)).toEqual({ host: 'h', 'content-length': '12', 'x-a': '1, 2' });
  });

  test.each([
    ['', 0, true, false],
    ['Connection: close', 0, false, false],
    ['Connection: Upgrade, CLOSE', 0, false, false],
    ['Transfer-Encoding: Chunked', -1, true, false],
    ['Content-Length: 3\r\nExpect: 100-Continue', 3, true, true],
  ])('"%s": length %d, keep-alive %s, continue %s', (line, length, keepAlive, expectsContinue) => {
    const head = parseHead(`GET / HTTP/1.1\r\nHost: h${line && `\r\n${line}`}`);
    expect(head).toMatchObject({ length, keepAlive, expectsContinue, old: false });
  });

  test('HTTP/1.0 closes unless it says otherwise, and needs no Host', () => {
    expect(parseHead('GET / HTTP/1.0')).toMatchObject({ old: true, keepAlive: false });
    expect(parseHead('GET / HTTP/1.0\r\nConnection: Keep-Alive')).toMatchObject({ old: true, keepAlive: true });
  });

  const smuggled: [what: string, head: string, status: number][] = [
    ['a length beside chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', 400],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6', 400],
    ['two lengths that agree', 'Content-Length: 5\r\ncontent-length: 5', 400],
    ['a list of lengths', 'Content-Length: 5, 5', 400],
    ['a length with a sign', 'Content-Length: +5', 400],
    ['a negative length', 'Content-Length: -5', 400],
    ['a hexadecimal length', 'Content-Length: 0x5', 400],
    ['an empty length', 'Content-Length:', 400],
    ['a length beyond all measure', `Content-Length: ${'9'.repeat(30)}`, 400],
    ['a blank before the colon', 'Content-Length : 5', 400],
    ['a folded line', 'X: a\r\n Content-Length: 5', 400],
    ['a line feed alone', 'X: a\nContent-Length: 5', 400],
    ['a carriage return alone', 'X: a\rContent-Length: 5', 400],
    ['a NUL', 'X: a\0b', 400],
    ['a line without a colon', 'nonsense', 400],
    ['two transfer codings in one line', 'Transfer-Encoding: chunked, identity', 501],
    ['a coding before the chunks', 'Transfer-Encoding: gzip, chunked', 501],
    ['a coding that only looks like chunked', 'Transfer-Encoding: xchunked', 501],
    ['two lines of codings', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', 400],
    ['two hosts', 'Host: other', 400],
    ['two lengths of the JSON header', 'Inference-Header-Content-Length: 1\r\nInference-Header-Content-Length: 2', 400],
    ['an expectation that nobody meets', 'Expect: tea', 417],
  ];
  test.each(smuggled)('%s is refused', (_, lines, status) => {
    expect(statusOf(`POST / HTTP/1.1\r\nHost: h\r\n${lines}`)).toBe(status);
  });

  test.each([
    ['GET / HTTP/1.1', 400],
    ['GET / HTTP/2.0\r\nHost: h', 505],
    ['PRI * HTTP/2.0', 505],
    ['GET / HTTP/1.2\r\nHost: h', 505],
    ['GET / http/1.1\r\nHost: h', 400],
    ['GET  / HTTP/1.1\r\nHost: h', 400],
    ['GET /a b HTTP/1.1\r\nHost: h', 400],
    [' GET / HTTP/1.1\r\nHost: h', 400],
    ['G(T / HTTP/1.1\r\nHost: h', 400],
    ['BREW / HTTP/1.1\r\nHost: h', 501],
    [`GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: h`, 414],
    ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked', 400],
  ])('%j is %d', (text, status) => {
    expect(statusOf(text)).toBe(status);
  });
});

function statusOf(text: string): number | undefined {
  try {
    parseHead(text);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedRequest) return error.status;
    throw error;
  }
}
