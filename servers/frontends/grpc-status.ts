import { messageOf } from '../../results/errors.js';
import { ProtocolError, STATUS } from '../protocol/errors.js';

/** Trailing metadata that carries a ProtocolError's reason, `queue-full`. */
export const REASON_KEY = 'servemark-reason';

/** A call's end as gRPC tells it. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly reason?: string | undefined;
}

/** Any error as gRPC reports it; what is no ProtocolError is INTERNAL. */
export function statusOf(error: unknown): GrpcStatus {
  const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', messageOf(error));
  return { code: STATUS[known.code][1], details: sendable(known.message), reason: known.reason };
}

/** Details travel in a header: short, and without half a surrogate pair, which cannot be encoded. */
function sendable(message: string): string {
  const short = message.length > 2000 ? `${message.slice(0, 1999)}…` : message;
  return Buffer.from(short, 'utf8').toString('utf8');
}
