import { EventEmitter } from 'node:events';
import { Metadata, type sendUnaryData } from '@grpc/grpc-js';
import { ProtocolError } from '../protocol/errors.js';
import { MessageReader } from '../protocol/grpc-frames.js';
import type { Http2Stream, StreamSink } from '../protocol/http2/index.js';
import type { GrpcRoute } from './grpc-router.js';
import { type GrpcStatus, statusOf } from './grpc-status.js';
import { answerUnary, beginAnswer, endAnswer, refuseCall } from './grpc-wire.js';

/**
 * Runs a handler written for grpc-js on an HTTP/2 stream: unary, or streaming in either direction. It has of grpc-js's calls
 * what the control methods, reflection and health use: `request` or `data` and `end`, `write`, `end`, `cancelled`.
 */
export function hostCall(stream: Http2Stream, { definition, handler }: GrpcRoute, maxBytes: number): StreamSink {
  const call = new HostedCall(stream, (answer) => framed(definition.responseSerialize(answer)));
  const begin = handler as unknown as (call: HostedCall, callback?: sendUnaryData<object>) => void;
  const heard = (message: Buffer): void => {
    const request = definition.requestDeserialize(message);
    if (definition.requestStream) call.emit('data', request);
    else {
      call.request = request;
      if (definition.responseStream) begin(call);
      else begin(call, (error, answer) => call.answer(error, answer));
    }
  };
  if (definition.requestStream) begin(call);
  return new Messages(call, maxBytes, definition.requestStream, heard);
}

/** Answers that wait for a client which asks and does not read. */
const MAX_WAITING_BYTES = 16 * 1024 ** 2;

class HostedCall extends EventEmitter {
  request: object = {};
  readonly metadata = new Metadata();
  private begun = false;

  constructor(
    private readonly stream: Http2Stream,
    private readonly frameOf: (answer: object) => Buffer,
  ) {
    super();
  }

  write(answer: object): boolean {
    if (this.stream.closed || this.stream.localDone) return false;
    this.begin();
    this.stream.data([this.frameOf(answer)]);
    if (this.stream.outgoing.bytes > MAX_WAITING_BYTES)
      this.fail(statusOf(new ProtocolError('RESOURCE_EXHAUSTED', 'the client does not read the answers it asks for')));
    return true;
  }

  end(): void {
    this.begin();
    endAnswer(this.stream);
  }

  answer(error: Parameters<sendUnaryData<object>>[0], answer: object | null | undefined): void {
    if (error) this.fail(statusOfError(error));
    else answerUnary(this.stream, [this.frameOf(answer ?? {})]);
  }

  fail(status: GrpcStatus): void {
    refuseCall(this.stream, status, this.begun);
  }

  private begin(): void {
    if (!this.begun) beginAnswer(this.stream);
    this.begun = true;
  }
}

/** grpc-js's handlers answer with an object that has `code`, `details` and perhaps `metadata`. */
function statusOfError(error: NonNullable<Parameters<sendUnaryData<object>>[0]>): GrpcStatus {
  if (error instanceof Error || error.code === undefined) return statusOf(error);
  return { code: error.code, details: error.details ?? '' };
}

/** The call's messages, one or `many`, each told to `heard`. */
class Messages implements StreamSink {
  private reader: MessageReader;
  private count = 0;

  constructor(
    private readonly call: HostedCall,
    private readonly maxBytes: number,
    private readonly many: boolean,
    private readonly heard: (message: Buffer) => void,
  ) {
    this.reader = new MessageReader({ maxBytes });
  }

  headers(): void {}

  data(bytes: Buffer, from: number, to: number): void {
    try {
      for (let at = from; at < to; ) {
        at = this.reader.take(bytes, at, to);
        if (this.reader.complete) this.message();
      }
    } catch (error) {
      this.call.fail(statusOf(error));
    }
  }

  ended(): void {
    if (this.many) this.call.emit('end');
    else if (this.count === 0)
      this.call.fail(statusOf(new ProtocolError('INVALID_ARGUMENT', 'the request has no message')));
  }

  broken(): void {
    this.call.emit('cancelled');
  }

  private message(): void {
    const { message } = this.reader;
    this.reader = new MessageReader({ maxBytes: this.maxBytes });
    if (this.count++ > 0 && !this.many) throw new ProtocolError('INTERNAL', 'more than one message; expected one');
    this.heard(message);
  }
}

function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
