import { positive } from '../../strategies/support/options.js';
import type { LlmRequest } from '../contract.js';
import { type PoolOptions, poolShape, SequencePool } from './pool.js';

/** The options of schedulers that reserve the longest possible sequence for each. */
export const fixedLengthShape = { ...poolShape, maxModelLen: positive().default(2048) };

export interface FixedLengthOptions extends PoolOptions {
  /** Tokens of prompt and output that a sequence may have. */
  readonly maxModelLen: number;
}

export function fixedLengthPool(options: FixedLengthOptions): SequencePool {
  return new SequencePool(options, (_, pool) => pool.blocksFor(options.maxModelLen));
}

/** Refuses what the model or the pool can't hold. */
export function refuseTooLong(
  { promptTokens, outputTokens }: LlmRequest,
  { numBlocks, maxModelLen, blockSize }: FixedLengthOptions,
): string | undefined {
  const tooLong = Math.ceil(maxModelLen / blockSize) > numBlocks || promptTokens + outputTokens > maxModelLen;
  return tooLong ? 'too-long' : undefined;
}
