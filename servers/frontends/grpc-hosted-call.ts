import { EventEmitter } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { Metadata, type sendUnaryData } from '@grpc/grpc-js';
import { ProtocolError } from '../protocol/errors.js';
import { MessageReader } from '../protocol/grpc-frames.js';
import type { GrpcRoute } from './grpc-router.js';
import { type GrpcStatus, statusOf } from './grpc-status.js';
import { answerUnary, beginAnswer, refuseCall } from './grpc-wire.js';

/**
 * Runs a handler written for grpc-js on an HTTP/2 stream: unary, or streaming in either direction. It has of grpc-js's calls
 * what the control methods, reflection and health use: `request` or `data` and `end`, `write`, `end`, `cancelled`.
 */
export function hostCall(stream: ServerHttp2Stream, { definition, handler }: GrpcRoute, maxBytes: number): void {
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
  readMessages(stream, maxBytes, definition.requestStream, heard, call);
}

class HostedCall extends EventEmitter {
  request: object = {};
  readonly metadata = new Metadata();

  constructor(
    private readonly stream: ServerHttp2Stream,
    private readonly frameOf: (answer: object) => Buffer,
  ) {
    super();
    stream.once('close', () => this.emit('cancelled'));
  }

  write(answer: object): boolean {
    if (this.stream.destroyed || this.stream.closed) return false;
    if (!this.stream.headersSent) beginAnswer(this.stream);
    return this.stream.write(this.frameOf(answer));
  }

  end(): void {
    if (this.stream.destroyed || this.stream.closed) return;
    if (!this.stream.headersSent) beginAnswer(this.stream);
    this.stream.end();
  }

  answer(error: Parameters<sendUnaryData<object>>[0], answer: object | null | undefined): void {
    if (error) this.fail(statusOfError(error));
    else answerUnary(this.stream, [this.frameOf(answer ?? {})]);
  }

  fail(status: GrpcStatus): void {
    refuseCall(this.stream, status);
  }
}

/** grpc-js's handlers answer with an object that has `code`, `details` and perhaps `metadata`. */
function statusOfError(error: NonNullable<Parameters<sendUnaryData<object>>[0]>): GrpcStatus {
  if (error instanceof Error || error.code === undefined) return statusOf(error);
  return { code: error.code, details: error.details ?? '' };
}

function readMessages(
  stream: ServerHttp2Stream,
  maxBytes: number,
  many: boolean,
  heard: (message: Buffer) => void,
  call: HostedCall,
): void {
  let reader = new MessageReader({ maxBytes });
  let messages = 0;
  stream.on('data', (chunk: Buffer) => {
    try {
      for (let from = 0; from < chunk.length || reader.complete; ) {
        from += reader.take(chunk.subarray(from));
        if (!reader.complete) break;
        if (messages++ > 0 && !many) throw new ProtocolError('INTERNAL', 'more than one message; expected one');
        heard(reader.message);
        reader = new MessageReader({ maxBytes });
      }
    } catch (error) {
      call.fail(statusOf(error));
    }
  });
  stream.once('end', () => {
    if (many) call.emit('end');
    else if (messages === 0) call.fail(statusOf(new ProtocolError('INVALID_ARGUMENT', 'the request has no message')));
  });
}

function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
