import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../protocol/errors.js';
import type { InferOutcome, InferRequest } from '../protocol/index.js';
import { INFER_HEADER, parseHeaderLength } from '../protocol/json.js';
import { decodeJsonRequest } from '../protocol/json-request.js';
import { encodeJsonResponse } from '../protocol/json-response.js';
import { collectBody } from './rest-body.js';
import type { Exchange } from './rest-exchange.js';
import { refuse, replyError, replyMessage } from './rest-reply.js';

const HEADER = INFER_HEADER.toLowerCase();

/** `POST …/infer`: body, decode, queue, answer. A client that goes away before the answer cancels its request. */
export function handleInfer(exchange: Exchange): void {
  const { request, response } = exchange;
  collectBody(request, exchange.limits.maxBodyBytes, (error, body) => {
    if (error) refuse(response, error);
    else submit(exchange, body);
  });
}

function submit(exchange: Exchange, body: Buffer): void {
  const { response, service, receivedNs } = exchange;
  let answered = false;
  try {
    const request = decode(exchange, body);
    const ticket = service.infer(request, receivedNs, (outcome) => {
      answered = true;
      answer(exchange, request, outcome);
    });
    if (answered) return;
    response.once('close', () => {
      if (!answered) ticket.cancel();
    });
  } catch (error) {
    replyError(response, error);
  }
}

function decode({ request, model, version }: Exchange, body: Buffer): InferRequest {
  const { headers } = request;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new ProtocolError(
      'INVALID_ARGUMENT',
      `Content-Encoding is "${encoding}"; expected none: send it uncompressed`,
    );
  const headerLength = parseHeaderLength(headers[HEADER] as string | undefined, body.length);
  return decodeJsonRequest(body, headerLength, model, version);
}

function answer({ response, receivedNs }: Exchange, request: InferRequest, outcome: InferOutcome): void {
  try {
    if (!outcome.ok) throw outcome.error;
    replyMessage(response, encodeJsonResponse(request, outcome.response, outcome.timings, nowNs(), receivedNs));
  } catch (error) {
    replyError(response, error);
  }
}
