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
  const body = Buffer.from(JSON.stringify(value), 'utf8').toString('latin1');
  exchange.answer(status, JSON_TYPE + fields, body, body.length);
}

export function replyText(exchange: HttpExchange, status: number, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8').toString('latin1');
  exchange.answer(status, `Content-Type: ${type}\r\n`, body, body.length);
}

/** Answers with an inference response: head, JSON and tensors in one write, large tensors uncopied. */
export function replyMessage(exchange: HttpExchange, message: JsonMessage): void {
  const { text, tensors, length, headerLength } = message;
  const fields = headerLength === undefined ? JSON_TYPE : `${BINARY_TYPE}${headerLength}\r\n`;
  if (length < JOIN_BELOW) exchange.answer(200, fields, text + latin1(tensors), length);
  else exchange.answer(200, fields, text, length, tensors);
}

/** One string is written in one piece behind its head; buffers would be gathered. */
function latin1(tensors: readonly Uint8Array[]): string {
  let text = '';
  for (const { buffer, byteOffset, byteLength } of tensors)
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
