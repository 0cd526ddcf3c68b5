import { type ErrorCode, ProtocolError } from '../protocol/errors.js';

/** A strategy's reason → the error that the client sees. What is not listed is the server's momentary state: UNAVAILABLE. */
const REFUSALS: Readonly<Record<string, readonly [code: ErrorCode, message: string]>> = {
  'queue-full': ['UNAVAILABLE', 'the queue is full; try again later or lower the rate'],
  quota: ['UNAVAILABLE', 'the tenant has used up what its quota allows for now'],
  timeout: ['UNAVAILABLE', 'the request waited longer than its timeout'],
  expired: ['UNAVAILABLE', 'the deadline passed while the request waited'],
  late: ['UNAVAILABLE', 'the request could not have been answered by its deadline'],
  'batch-too-large': ['INVALID_ARGUMENT', 'the request has more rows than maxBatchSize allows'],
  'unknown-model': ['NOT_FOUND', 'the strategy does not serve this model'],
  'no-sequence': ['INVALID_ARGUMENT', 'the sequence is not known; its first request must have sequence_start'],
};

/** Triton answers queue limits and queue timeouts alike with UNAVAILABLE (503); `reason` tells them apart. */
export function refusal(reason: string): ProtocolError {
  const [code, message] = REFUSALS[reason] ?? ['UNAVAILABLE', 'the strategy refused the request'];
  return new ProtocolError(code, `${reason}: ${message}`, reason);
}
