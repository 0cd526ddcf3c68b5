import type { HeaderBlock } from './hpack-decoder.js';
import { ERROR, StreamError } from './wire.js';

/** By name, in lower case; what comes several times is joined by commas. */
export type Headers = ReadonlyMap<string, string>;

/** Checked once for each block that is not a repetition. Each throws StreamError PROTOCOL_ERROR. Source: RFC 9113, 8.2 and 8.3. */
export const requestHeaders = remembered((block) => {
  const headers = collect(block, [':method', ':scheme', ':path', ':authority']);
  for (const name of [':method', ':scheme', ':path'])
    if (!headers.get(name)) throw malformed(`the request has no ${name}`);
  if ((headers.get('te') ?? 'trailers') !== 'trailers')
    throw malformed(`te is ${headers.get('te')}; expected trailers`);
  return headers;
});

export const responseHeaders = remembered((block) => {
  const headers = collect(block, [':status']);
  const status = headers.get(':status') ?? '';
  if (!/^[1-9]\d\d$/.test(status)) throw malformed(`:status is ${JSON.stringify(status)}`);
  return headers;
});

export const trailerHeaders = remembered((block) => collect(block, []));

function remembered(read: (block: HeaderBlock) => Headers): (block: HeaderBlock) => Headers {
  const known = new WeakMap<HeaderBlock, Headers>();
  return (block) => {
    const found = known.get(block) ?? read(block);
    known.set(block, found);
    return found;
  };
}

function collect({ fields }: HeaderBlock, pseudo: readonly string[]): Headers {
  const headers = new Map<string, string>();
  let regular = false;
  for (const [name, value] of fields) {
    if (name.startsWith(':')) {
      if (regular) throw malformed(`${name} stands behind other headers`);
      if (!pseudo.includes(name)) throw malformed(`${name} is not known here`);
      if (headers.has(name)) throw malformed(`${name} comes twice`);
    } else {
      regular = true;
      if (!NAME.test(name)) throw malformed(`the header name ${JSON.stringify(name)} is not valid`);
      if (OF_THE_CONNECTION.has(name)) throw malformed(`${name} has no place in HTTP/2`);
    }
    if (FORBIDDEN.test(value)) throw malformed(`${name} holds a control character`);
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const FORBIDDEN = /[\0\r\n]/;
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

function malformed(message: string): StreamError {
  return new StreamError(ERROR.PROTOCOL_ERROR, message);
}
