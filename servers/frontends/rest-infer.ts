import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../protocol/errors.js';
import type { InferOutcome, InferRequest } from '../protocol/index.js';
import { INFER_HEADER, parseHeaderLength } from '../protocol/json.js';
import { decodeJsonRequest } from '../protocol/json-request.js';
import { encodeJsonResponse } from '../protocol/json-response.js';
import type { HttpExchange } from './http1-connection.js';
import type { RestContext, Target } from './rest-exchange.js';
import { replyError, replyMessage } from './rest-reply.js';

const HEADER = INFER_HEADER.toLowerCase();

/** `POST …/infer`: decode, queue, answer. A client that goes away before the answer cancels its request. */
export function handleInfer({ service }: RestContext, exchange: HttpExchange, target: Target): void {
  let answered = false;
  try {
    const { receivedNs } = exchange;
    const request = decode(exchange, target);
    const ticket = service.infer(request, receivedNs, (outcome) => {
      answered = true;
      answer(exchange, request, outcome, receivedNs);
    });
    if (!answered) exchange.gone = ticket;
  } catch (error) {
    replyError(exchange, error);
  }
}

function decode(exchange: HttpExchange, { model, version }: Target): InferRequest {
  const { head, bytes } = exchange;
  const { headers } = head;
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding !== 'identity')
    throw new ProtocolError(
      'INVALID_ARGUMENT',
      `Content-Encoding is "${encoding}"; expected none: send it uncompressed`,
    );
  const headerLength = parseHeaderLength(headers.get(HEADER), bytes.length);
  const free = () => exchange.giveBack();
  const request = decodeJsonRequest(bytes, headerLength, model, version, headerLength === undefined ? undefined : free);
  // Numbers have been read: nothing points into the body any more.
  if (headerLength === undefined) free();
  return request;
}

function answer(exchange: HttpExchange, request: InferRequest, outcome: InferOutcome, receivedNs: number): void {
  try {
    if (!outcome.ok) throw outcome.error;
    replyMessage(exchange, encodeJsonResponse(request, outcome.response, outcome.timings, nowNs(), receivedNs));
  } catch (error) {
    replyError(exchange, error);
  }
}
