import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { messageOf } from '../../results/errors.js';
import { ProtocolError, STATUS } from '../protocol/errors.js';

/** Trailing metadata that carries a ProtocolError's reason, `queue-full`. */
const REASON_KEY = 'servemark-reason';

/** Any error as gRPC reports it; what is no ProtocolError is INTERNAL. */
export function toStatus(error: unknown): Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', messageOf(error));
  const metadata = new Metadata();
  if (known.reason !== undefined) metadata.set(REASON_KEY, known.reason);
  return { code: STATUS[known.code][1], details: sendable(known.message), metadata };
}

/** Details travel in a header: short, and without half a surrogate pair, which cannot be encoded. */
function sendable(message: string): string {
  const short = message.length > 2000 ? `${message.slice(0, 1999)}…` : message;
  return Buffer.from(short, 'utf8').toString('utf8');
}
