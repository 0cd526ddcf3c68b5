import { type Client, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { nowNs } from '../../results/clock.js';
import { decodeGrpcResponse, timingsFromParameters } from '../../servers/protocol/index.js';
import type { CallHandle, CallOutcome, CallResult } from './contract.js';
import type { Pending } from './deadlines.js';
import { MODEL_INFER, REASON_KEY } from './grpc-names.js';
import { brokenCall, codeOfGrpc, outcomeOf } from './outcomes.js';

/** One unary call whose messages are bytes to grpc-js. */
export class GrpcJsCall implements CallHandle, Pending {
  settled = false;
  private call: ClientUnaryCall | undefined;
  private firstByteNs = Number.NaN;

  constructor(private readonly done: (result: CallResult) => void) {}

  start(client: Client, message: Buffer): void {
    this.call = client.makeUnaryRequest(MODEL_INFER, asIs, asIs, message, NO_METADATA, (error, answer) =>
      this.answered(error, answer),
    );
    this.call.on('metadata', () => {
      this.firstByteNs = nowNs();
    });
  }

  cancel(): void {
    this.stop('cancelled', 'cancelled', 'cancelled by the client');
  }

  expire(): void {
    this.stop('timedOut', 'client-timeout', 'no answer within the timeout');
  }

  private answered(error: ServiceError | null, answer: Buffer | undefined): void {
    if (this.settled) return;
    const completedNs = nowNs();
    this.settle(error ? this.refusal(completedNs, error) : this.answer(completedNs, answer!));
  }

  private answer(completedNs: number, answer: Buffer): CallResult {
    try {
      // Tensors are views into the message: decoding copies nothing.
      const response = decodeGrpcResponse(answer);
      const timings = timingsFromParameters(response.parameters);
      return { outcome: 'ok', firstByteNs: this.firstByteNs, completedNs, timings, response: () => response };
    } catch (error) {
      return brokenCall('failed', completedNs, 'malformed', String(error));
    }
  }

  private refusal(completedNs: number, error: ServiceError): CallResult {
    const reason = error.metadata.get(REASON_KEY)[0];
    const own = reason === undefined ? undefined : String(reason);
    // grpc-js reports a broken connection as UNAVAILABLE too; an answer from the server has headers or trailers.
    const answered = Object.keys(error.metadata.getMap()).length > 0 || !Number.isNaN(this.firstByteNs);
    return {
      outcome: answered ? outcomeOf(codeOfGrpc(error.code)) : 'failed',
      firstByteNs: this.firstByteNs,
      completedNs,
      errorCode: own ?? (answered ? (status[error.code] ?? `gRPC ${error.code}`) : 'no-connection'),
      errorMessage: error.details,
    };
  }

  private stop(outcome: CallOutcome, code: string, message: string): void {
    if (this.settled) return;
    this.settle(brokenCall(outcome, nowNs(), code, message));
    this.call?.cancel();
  }

  private settle(result: CallResult): void {
    this.settled = true;
    this.done(result);
  }
}

const NO_METADATA = new Metadata();
const asIs = (bytes: Buffer): Buffer => bytes;
