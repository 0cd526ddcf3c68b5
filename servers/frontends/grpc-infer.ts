import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../protocol/errors.js';
import { frameGrpcResponse } from '../protocol/grpc-codec.js';
import { MessageReader } from '../protocol/grpc-frames.js';
import type { InferenceService, InferOutcome, InferRequest, InferTicket } from '../protocol/index.js';
import { startInfer } from './grpc-methods.js';
import { statusOf } from './grpc-status.js';
import { timeoutMs } from './grpc-timeout.js';
import { answerUnary, refuseCall } from './grpc-wire.js';

/** ModelInfer on an HTTP/2 stream, the per-request path. A client that goes away, or is out of time, cancels its request. */
export function serveInfer(
  service: InferenceService,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  maxBytes: number,
  receivedNs: number,
): void {
  const call = new InferCall(service, stream, maxBytes, receivedNs);
  stream.on('data', (chunk: Buffer) => call.data(chunk));
  stream.on('end', () => call.ended());
  stream.on('close', () => call.closed());
  const timeout = timeoutMs(headers['grpc-timeout']);
  if (timeout !== undefined) call.expireIn(timeout);
}

class InferCall {
  private readonly reader: MessageReader;
  private ticket: InferTicket | undefined;
  private answered = false;
  private deadline: NodeJS.Timeout | undefined;

  constructor(
    private readonly service: InferenceService,
    private readonly stream: ServerHttp2Stream,
    maxBytes: number,
    private readonly receivedNs: number,
  ) {
    this.reader = new MessageReader({ maxBytes });
  }

  expireIn(ms: number): void {
    this.deadline = setTimeout(() => this.expired(), ms);
  }

  data(chunk: Buffer): void {
    if (this.answered) return;
    try {
      this.reader.feed(chunk);
      if (this.reader.complete && this.ticket === undefined) this.start();
    } catch (error) {
      this.ticket?.cancel();
      this.refuse(error);
    }
  }

  private start(): void {
    this.ticket = startInfer(this.service, this.reader.message, this.receivedNs, (outcome, request) => {
      if (!this.answered) this.answer(outcome, request);
    });
  }

  private answer(outcome: InferOutcome, request: InferRequest | undefined): void {
    try {
      if (!outcome.ok) throw outcome.error;
      const frame = frameGrpcResponse(request!, outcome.response, outcome.timings, nowNs(), this.receivedNs);
      this.settle();
      answerUnary(this.stream, frame);
    } catch (error) {
      this.refuse(error);
    }
  }

  ended(): void {
    if (!this.answered && !this.reader.complete)
      this.refuse(new ProtocolError('INVALID_ARGUMENT', 'the request ended before its message was complete'));
  }

  private expired(): void {
    if (this.answered) return;
    this.ticket?.cancel();
    this.refuse(new ProtocolError('DEADLINE_EXCEEDED', 'the deadline that the client gave has passed', 'deadline'));
  }

  closed(): void {
    if (!this.answered) this.ticket?.cancel();
    this.settle();
  }

  private refuse(error: unknown): void {
    this.settle();
    refuseCall(this.stream, statusOf(error));
  }

  private settle(): void {
    this.answered = true;
    if (this.deadline !== undefined) clearTimeout(this.deadline);
  }
}
