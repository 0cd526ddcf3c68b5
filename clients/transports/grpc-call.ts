import { nowNs } from '../../results/clock.js';
import type { Headers } from '../../servers/protocol/http2/index.js';
import { decodeGrpcResponse, grpcTimings, timingsFromParameters } from '../../servers/protocol/index.js';
import type { CallHandle, CallOutcome, CallResult } from './contract.js';
import type { Pending } from './deadlines.js';
import { grpcStatusName, MODEL_INFER, REASON_KEY } from './grpc-names.js';
import { startUnary, type UnarySink } from './grpc-stream.js';
import type { Http2Links } from './http2-links.js';
import { brokenCall, codeOfGrpc, outcomeOf } from './outcomes.js';

/** Bytes of an answer among which our server's timings are. */
const TIMINGS_WITHIN = 2048;

const WHOLE = { path: MODEL_INFER };
const BEGINNING = { path: MODEL_INFER, keptBytes: TIMINGS_WITHIN };

/** One inference over gRPC. */
export class GrpcCall implements UnarySink, CallHandle, Pending {
  settled = false;
  private sentNs = Number.NaN;
  private firstByteNs = Number.NaN;
  private again = true;
  private leave: (() => void) | undefined;

  /** Without `keepBody` the result has no `response`: whoever looks at the time only spares itself the memory. */
  constructor(
    private readonly links: Http2Links,
    private readonly frame: readonly Uint8Array[],
    private readonly keepBody: boolean,
    private readonly done: (result: CallResult) => void,
  ) {}

  start(): void {
    this.leave = startUnary(this.links, this.keepBody ? WHOLE : BEGINNING, this.frame, this);
  }

  cancel(): void {
    this.stop('cancelled', 'cancelled', 'cancelled by the client');
  }

  expire(): void {
    this.stop('timedOut', 'client-timeout', 'no answer within the timeout');
  }

  written(): void {
    this.sentNs = nowNs();
  }

  head(): void {
    this.firstByteNs = nowNs();
  }

  answered(status: number, message: Buffer, trailers: Headers): void {
    if (this.settled) return;
    const completedNs = nowNs();
    this.settle(status === 0 ? this.answer(completedNs, message) : this.refusal(completedNs, status, trailers));
  }

  /** A refused stream was not processed: a server that goes away says so to what came too late. Sent once more, elsewhere. */
  broken(code: string, message: string): void {
    if (this.settled) return;
    if (code === 'REFUSED_STREAM' && this.again) {
      this.again = false;
      this.start();
    } else this.settle(brokenCall('failed', nowNs(), code, message));
  }

  private answer(completedNs: number, message: Buffer): CallResult {
    const { sentNs, firstByteNs } = this;
    if (!this.keepBody) return { outcome: 'ok', sentNs, firstByteNs, completedNs, timings: grpcTimings(message) };
    try {
      // Tensors are views into the message: decoding copies nothing.
      const response = decodeGrpcResponse(message);
      const timings = timingsFromParameters(response.parameters);
      return { outcome: 'ok', sentNs, firstByteNs, completedNs, timings, response: () => response };
    } catch (error) {
      return brokenCall('failed', completedNs, 'malformed', String(error));
    }
  }

  private refusal(completedNs: number, status: number, trailers: Headers): CallResult {
    return {
      outcome: outcomeOf(codeOfGrpc(status)),
      sentNs: this.sentNs,
      firstByteNs: this.firstByteNs,
      completedNs,
      errorCode: trailers.get(REASON_KEY) ?? grpcStatusName(status),
      errorMessage: grpcMessage(trailers),
    };
  }

  private stop(outcome: CallOutcome, code: string, message: string): void {
    if (this.settled) return;
    this.settle(brokenCall(outcome, nowNs(), code, message));
    this.leave?.();
  }

  private settle(result: CallResult): void {
    this.settled = true;
    this.done(result);
  }
}

/** `grpc-message`, percent-decoded; as it is where it is not sound. Source: gRPC over HTTP2, "Responses". */
export function grpcMessage(trailers: Headers): string {
  const text = trailers.get('grpc-message') ?? '';
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
