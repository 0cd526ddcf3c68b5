import type { z } from 'zod';

/** A prompt, and how many tokens its answer will have: in a simulation both are known. */
export interface LlmRequest {
  /** Unique among the requests of one scheduler. */
  readonly id: string;
  /** Integer nanoseconds. */
  readonly at: number;
  readonly promptTokens: number;
  /** At least 1. */
  readonly outputTokens: number;
}

/** A request that was taken, and how far it is. Only its scheduler changes it. */
export interface Sequence {
  readonly request: LlmRequest;
  /** Output tokens so far. */
  readonly generated: number;
  /** Tokens to compute before it can decode: of the prompt, after a preemption of the output so far too. */
  readonly toPrefill: number;
  /** Blocks of the KV cache that it holds. */
  readonly blocks: number;
}

/** One forward pass. */
export interface Iteration {
  /** How many tokens of which sequence, each at least 1. */
  readonly prefill: readonly (readonly [sequence: Sequence, tokens: number])[];
  /** These get their next token. */
  readonly decode: readonly Sequence[];
  /** They lost their blocks to others and wait again. */
  readonly preempted: readonly Sequence[];
  /** After planning. */
  readonly freeBlocks: number;
}

/** What an iteration gave. */
export interface Yield {
  /** Sequences that got a token. */
  readonly tokens: readonly Sequence[];
  /** Sequences that are answered; they hold nothing any more. */
  readonly ended: readonly Sequence[];
}

/**
 * Which tokens run in the next forward pass: a state machine without clock, I/O or randomness. One iteration at a time: `plan`,
 * then `finished` with that iteration, then `plan` again.
 */
export interface LlmScheduler {
  /** Take the request, or refuse it at once: returns the reason. */
  offer(request: LlmRequest): string | undefined;
  /** The next iteration; none where there is nothing to compute. */
  plan(): Iteration | undefined;
  /** The iteration that it planned has ended. */
  finished(iteration: Iteration): Yield;
  /** Blocks that nobody holds. */
  freeBlocks(): number;
}

export interface LlmSchedulerDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** Option → the original's own spelling. */
  readonly originals?: Readonly<Record<string, string>>;
  readonly options: Options;
  create(options: z.output<Options>): LlmScheduler;
}

/** Fixes the type of the options without writing it twice. */
export function defineLlmScheduler<Options extends z.ZodType>(
  definition: LlmSchedulerDefinition<Options>,
): LlmSchedulerDefinition<Options> {
  return definition;
}
