import { messageOf } from '../../results/errors.js';
import { ProtocolError, STATUS } from '../protocol/errors.js';
import { INFER_HEADER, type JsonMessage } from '../protocol/json.js';
import type { HttpExchange } from './http1-connection.js';

/** Below this many bytes one copy is cheaper than a gathered write. */
const JOIN_BELOW = 16 * 1024;
const JSON_TYPE = 'Content-Type: application/json\r\n';
const BINARY_TYPE = `Content-Type: application/octet-stream\r\n${INFER_HEADER}: `;

/** Answers with a JSON value. `fields` are further header lines. */
export function replyJson(exchange: HttpExchange, status: number, value: unknown, fields = ''): void {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  exchange.answer(status, JSON_TYPE + fields, [body], body.length);
}

export function replyText(exchange: HttpExchange, status: number, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8');
  exchange.answer(status, `Content-Type: ${type}\r\n`, [body], body.length);
}

/** Answers with an inference response: head, JSON and tensors in one write, large tensors uncopied. */
export function replyMessage(exchange: HttpExchange, message: JsonMessage): void {
  const { parts, length, headerLength } = message;
  const fields = headerLength === undefined ? JSON_TYPE : `${BINARY_TYPE}${headerLength}\r\n`;
  // As a latin1 string, a character a byte, it goes out in one piece behind its head; a buffer would be gathered.
  exchange.answer(200, fields, length < JOIN_BELOW ? latin1(parts) : parts, length);
}

function latin1(parts: readonly Uint8Array[]): string {
  let text = '';
  for (const { buffer, byteOffset, byteLength } of parts)
    text += Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
  return text;
}

/** Answers with `{"error": …, "reason": …}`; anything that is no ProtocolError is a 500. */
export function replyError(exchange: HttpExchange, error: unknown, fields = ''): void {
  const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', messageOf(error));
  const { message, reason } = known;
  replyJson(
    exchange,
    STATUS[known.code][0],
    reason === undefined ? { error: message } : { error: message, reason },
    fields,
  );
}
