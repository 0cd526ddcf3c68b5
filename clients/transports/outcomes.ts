import type { ErrorCode } from '../../servers/protocol/index.js';
import { STATUS } from '../../servers/protocol/index.js';
import type { CallOutcome, CallResult } from './contract.js';

/** How a server's refusal counts: full is `rejected`, late is `timedOut`; anything else that is not ok is `failed`. */
export function outcomeOf(code: ErrorCode | undefined): CallOutcome {
  if (code === 'UNAVAILABLE') return 'rejected';
  if (code === 'DEADLINE_EXCEEDED') return 'timedOut';
  if (code === 'CANCELLED') return 'cancelled';
  return 'failed';
}

/** The protocol's code of an HTTP status; undefined where no v2 error has it. */
export function codeOfHttp(status: number): ErrorCode | undefined {
  return HTTP_CODES.get(status);
}

/** The protocol's code of a gRPC status number; undefined where no v2 error has it. */
export function codeOfGrpc(status: number): ErrorCode | undefined {
  return GRPC_CODES.get(status);
}

/** A call that got no answer: `code` is the library's or the system's own (`ECONNREFUSED`). */
export function brokenCall(outcome: CallOutcome, completedNs: number, code: string, message: string): CallResult {
  return { outcome, firstByteNs: Number.NaN, completedNs, errorCode: code, errorMessage: message };
}

const entries = Object.entries(STATUS) as [ErrorCode, readonly [http: number, grpc: number]][];
const HTTP_CODES = new Map(entries.map(([code, [http]]) => [http, code]));
const GRPC_CODES = new Map(entries.map(([code, [, grpc]]) => [grpc, code]));
