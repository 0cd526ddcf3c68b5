import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../protocol/errors.js';
import { frameGrpcResponse } from '../protocol/grpc-codec.js';
import { MessageReader } from '../protocol/grpc-frames.js';
import type { Headers, Http2Stream, StreamSink } from '../protocol/http2/index.js';
import type { InferenceService, InferOutcome, InferRequest, InferTicket } from '../protocol/index.js';
import { BodyMemory } from './body-memory.js';
import { startInfer } from './grpc-methods.js';
import { statusOf } from './grpc-status.js';
import { timeoutMs } from './grpc-timeout.js';
import { answerUnary, refuseCall } from './grpc-wire.js';

/** ModelInfer on an HTTP/2 stream, the per-request path. A client that goes away, or is out of time, cancels its request. */
export function serveInfer(
  service: InferenceService,
  stream: Http2Stream,
  headers: Headers,
  maxBytes: number,
  receivedNs: number,
): StreamSink {
  const call = new InferCall(service, stream, maxBytes, receivedNs);
  const timeout = timeoutMs(headers.get('grpc-timeout'));
  if (timeout !== undefined) call.expireIn(timeout);
  return call;
}

const memory = new BodyMemory();

class InferCall implements StreamSink {
  private readonly reader: MessageReader;
  private ticket: InferTicket | undefined;
  private answered = false;
  private deadline: NodeJS.Timeout | undefined;

  constructor(
    private readonly service: InferenceService,
    private readonly stream: Http2Stream,
    maxBytes: number,
    private readonly receivedNs: number,
  ) {
    this.reader = new MessageReader({ maxBytes, memory });
  }

  expireIn(ms: number): void {
    this.deadline = setTimeout(() => this.expired(), ms);
  }

  data(bytes: Buffer, from: number, to: number): void {
    if (this.answered) return;
    try {
      this.reader.feed(bytes, from, to);
      if (this.reader.complete && this.ticket === undefined) this.start();
    } catch (error) {
      this.ticket?.cancel();
      this.refuse(error);
    }
  }

  space(bytes: number): Buffer | undefined {
    return this.reader.space(bytes);
  }

  /** Trailers of a request say nothing. */
  headers(): void {}

  ended(): void {
    if (!this.answered && !this.reader.complete)
      this.refuse(new ProtocolError('INVALID_ARGUMENT', 'the request ended before its message was complete'));
  }

  broken(): void {
    if (!this.answered) this.ticket?.cancel();
    this.settle();
  }

  private start(): void {
    const { message } = this.reader;
    this.ticket = startInfer(
      this.service,
      message,
      this.receivedNs,
      (outcome, request) => {
        if (!this.answered) this.answer(outcome, request);
      },
      () => memory.giveBack(message),
    );
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

  private expired(): void {
    if (this.answered) return;
    this.ticket?.cancel();
    this.refuse(new ProtocolError('DEADLINE_EXCEEDED', 'the deadline that the client gave has passed', 'deadline'));
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
