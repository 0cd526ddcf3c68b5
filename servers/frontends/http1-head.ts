/** The head of a request, as far as framing and routing need it. */
export interface RequestHead {
  readonly method: string;
  /** As sent: a path with its query, or an absolute URL. */
  readonly target: string;
  /** By lower-case name; several lines of one name are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** HTTP/1.0: what answers it says aloud that the connection stays. */
  readonly old: boolean;
  readonly keepAlive: boolean;
  /** Bytes of the body; −1: it comes in chunks. */
  readonly length: number;
  /** The client waits for a word before it sends the body. */
  readonly expectsContinue: boolean;
}

/** A request that is refused before anybody looks at it; the connection ends with the answer. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const MAX_TARGET = 8192;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT']);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d)\.(\d)$/;

/**
 * Reads a head: request line and header lines without the empty line, latin1. Whatever two readers could understand
 * differently is refused, for that is how requests are smuggled past a proxy: two lengths or a length beside chunks,
 * odd numbers, folded lines, line feeds alone, blanks before a colon. Throws RefusedRequest. Source: RFC 9112.
 */
export function parseHead(text: string): RequestHead {
  const lines = text.split('\r\n');
  if (/[\0\r\n]/.test(lines.join(''))) throw new RefusedRequest(400, 'a line of the head ends without CR LF');
  const [, method, target, major, minor] = requestLine(lines[0]!);
  const headers = headerLines(lines);
  const old = minor === '0';
  if (major !== '1' || (minor !== '0' && minor !== '1'))
    throw new RefusedRequest(505, `HTTP/${major}.${minor}; expected HTTP/1.1`);
  if (!METHODS.has(method!)) throw new RefusedRequest(501, `method ${method} is none of ${[...METHODS].join(', ')}`);
  if (target!.length > MAX_TARGET)
    throw new RefusedRequest(414, `the target has ${target!.length} characters; expected at most ${MAX_TARGET}`);
  if (!old && !headers.has('host')) throw new RefusedRequest(400, 'Host is missing');
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  return {
    method: method!,
    target: target!,
    headers,
    old,
    keepAlive: old ? hasWord(connection, 'keep-alive') : !hasWord(connection, 'close'),
    length: bodyLength(headers, old),
    expectsContinue: expectsContinue(headers, old),
  };
}

function requestLine(line: string): RegExpExecArray {
  const parts = REQUEST_LINE.exec(line);
  if (parts !== null) return parts;
  throw new RefusedRequest(400, `the request line is ${JSON.stringify(line.slice(0, 80))}`);
}

function headerLines(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    // This refuses folded lines and blanks before the colon as well.
    if (!TOKEN.test(name)) throw new RefusedRequest(400, `a header line is ${JSON.stringify(line.slice(0, 80))}`);
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    if (before !== undefined && ONCE.has(name)) throw new RefusedRequest(400, `${name} is given twice`);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Headers of which two would contradict each other. */
const ONCE = new Set([
  'content-length',
  'transfer-encoding',
  'host',
  'expect',
  'content-encoding',
  'inference-header-content-length',
]);

function bodyLength(headers: ReadonlyMap<string, string>, old: boolean): number {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined) {
    if (length !== undefined) throw new RefusedRequest(400, 'Content-Length beside Transfer-Encoding');
    if (old) throw new RefusedRequest(400, 'Transfer-Encoding in HTTP/1.0');
    if (coding.toLowerCase() !== 'chunked')
      throw new RefusedRequest(501, `Transfer-Encoding is ${JSON.stringify(coding)}; expected chunked`);
    return -1;
  }
  if (length === undefined) return 0;
  if (/^\d{1,15}$/.test(length)) return Number(length);
  throw new RefusedRequest(400, `Content-Length is ${JSON.stringify(length)}; expected a whole number`);
}

function expectsContinue(headers: ReadonlyMap<string, string>, old: boolean): boolean {
  const expected = headers.get('expect');
  if (expected === undefined || old) return false;
  if (expected.toLowerCase() === '100-continue') return true;
  throw new RefusedRequest(417, `Expect is ${JSON.stringify(expected)}; expected 100-continue`);
}

function hasWord(list: string, word: string): boolean {
  return list !== '' && list.split(',').some((each) => each.trim() === word);
}
