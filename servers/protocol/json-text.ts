import { messageOf } from '../../results/errors.js';
import { invalid } from './tensors.js';

/**
 * Parse JSON without losing digits: integers beyond ±2^53 become bigint, everything else is what JSON.parse gives.
 *
 * JSON.parse rounds such integers silently, and INT64 tensors carry them. Texts without long integers, nearly all, go
 * straight to JSON.parse. Throws INVALID_ARGUMENT with the parser's message.
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return MANY_DIGITS.test(text) && LONG_INTEGER.test(text) ? parseLong(text) : JSON.parse(text);
  } catch (error) {
    throw invalid(`${what} is not valid JSON: ${messageOf(error)}`);
  }
}

/** What nearly no text has, and quick to look for. */
const MANY_DIGITS = /\d{16}/;
/** Sixteen digits or more that are not part of a fraction or an exponent. */
const LONG_INTEGER = /(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/;
/** Strings first, so that digits inside them are left alone. */
const STRING_OR_LONG_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/g;

/** Long integers are wrapped into strings with a prefix that the text does not contain, and unwrapped by the reviver. */
function parseLong(text: string): unknown {
  let prefix = 'int:';
  while (text.includes(prefix)) prefix = `${prefix.slice(0, -1)}~:`;
  const wrapped = text.replace(STRING_OR_LONG_INTEGER, (token) => (token[0] === '"' ? token : `"${prefix}${token}"`));
  return JSON.parse(wrapped, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(prefix)) return value;
    const integer = BigInt(value.slice(prefix.length));
    const number = Number(integer);
    return Number.isSafeInteger(number) ? number : integer;
  });
}
