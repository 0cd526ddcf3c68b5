import type { ServerResponse } from 'node:http';
import { messageOf } from '../../results/errors.js';
import { ProtocolError, STATUS } from '../protocol/errors.js';
import { INFER_HEADER, type JsonMessage } from '../protocol/json.js';

/** Below this many bytes one copy is cheaper than a gathered write. */
const JOIN_BELOW = 16 * 1024;
/** How long a client that is refused may go on sending before the connection is cut. */
const LINGER_MS = 2000;

/** Answers with a JSON value. */
export function replyJson(response: ServerResponse, status: number, value: unknown): void {
  replyText(response, status, 'application/json', JSON.stringify(value));
}

export function replyText(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8');
  response.writeHead(status, ['Content-Type', type, 'Content-Length', String(body.length)]);
  response.end(body);
}

/** Answers with an inference response: head, JSON and tensors in one write, tensors uncopied. */
export function replyMessage(response: ServerResponse, message: JsonMessage): void {
  const { parts, length, headerLength } = message;
  if (headerLength === undefined)
    response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(length)]);
  else
    response.writeHead(200, [
      'Content-Type',
      'application/octet-stream',
      INFER_HEADER,
      String(headerLength),
      'Content-Length',
      String(length),
    ]);
  // As a latin1 string, a character a byte, node writes it behind its own head in one piece; a buffer it would gather.
  if (length < JOIN_BELOW) response.end(latin1(parts), 'latin1');
  else if (parts.length === 1) response.end(parts[0]);
  else {
    response.cork();
    for (const part of parts) response.write(part);
    response.end();
  }
}

function latin1(parts: readonly Uint8Array[]): string {
  let text = '';
  for (const { buffer, byteOffset, byteLength } of parts)
    text += Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
  return text;
}

/** Answers with `{"error": …, "reason": …}`; anything that is no ProtocolError is a 500. */
export function replyError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', messageOf(error));
  replyJson(response, STATUS[known.code][0], errorBody(known));
}

/**
 * Refuses a request whose body is still coming. The answer is complete at once, but the connection stays open until the
 * client has stopped sending: closing on unread data resets the connection, and the client would never see why.
 */
export function refuse(response: ServerResponse, error: ProtocolError): void {
  const body = Buffer.from(JSON.stringify(errorBody(error)), 'utf8');
  response.writeHead(STATUS[error.code][0], {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    Connection: 'close',
  });
  response.write(body);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  response.req.once('end', () => response.end());
  response.once('close', () => clearTimeout(timer));
  response.req.resume();
}

/** What an error says over REST. */
function errorBody(error: ProtocolError): { error: string; reason?: string } {
  return error.reason === undefined ? { error: error.message } : { error: error.message, reason: error.reason };
}
