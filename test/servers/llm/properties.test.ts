import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LlmRequest, LlmScheduler, LlmSchedulerDefinition } from '../../../servers/llm/contract.js';
import { llmSchedulers } from '../../../servers/llm/registry.js';
import { simulateLlm } from '../../../servers/llm/simulate.js';

const COST = { baseNs: 10, prefillTokenNs: 1, decodeSeqNs: 2 };

const requests = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 300 }),
      promptTokens: fc.integer({ min: 1, max: 40 }),
      outputTokens: fc.integer({ min: 1, max: 20 }),
    }),
    { maxLength: 25 },
  )
  .map((list): LlmRequest[] => list.sort((a, b) => a.at - b.at).map((each, i) => ({ id: `r${i}`, ...each })));

/** Small pools, so that memory runs out; each scheduler takes the options that it knows. */
const options = fc.record({
  blockSize: fc.integer({ min: 1, max: 8 }),
  numBlocks: fc.integer({ min: 5, max: 60 }),
  maxNumSeqs: fc.integer({ min: 1, max: 8 }),
  maxModelLen: fc.integer({ min: 10, max: 60 }),
  maxNumBatchedTokens: fc.integer({ min: 20, max: 100 }),
  chunkSize: fc.integer({ min: 1, max: 40 }),
  maxBatchPrefillTokens: fc.integer({ min: 20, max: 100 }),
  maxBatchTotalTokens: fc.integer({ min: 30, max: 200 }),
  waitingServedRatio: fc.constantFrom(0, 0.3, 1.2, 3),
  maxWaitingTokens: fc.integer({ min: 0, max: 20 }),
  maxConcurrentRequests: fc.integer({ min: 1, max: 30 }),
});

/** Every registered scheduler is held to these; a new one is tested by being registered. */
describe.each(llmSchedulers as readonly LlmSchedulerDefinition[])('$name', (definition) => {
  const make = (given: Readonly<Record<string, unknown>>): LlmScheduler => {
    const known = Object.keys(definition.options.parse({}) as object);
    const own = Object.fromEntries(Object.entries(given).filter(([name]) => known.includes(name)));
    return definition.create(definition.options.parse(own));
  };
  type Given = typeof options extends fc.Arbitrary<infer T> ? T : never;
  const property = (check: (given: Given, list: readonly LlmRequest[]) => void) =>
    fc.assert(fc.property(options, requests, check), { seed: 20_260_204, numRuns: 300 });

  test('loses no sequence and gives every one all its tokens, the first not before it arrived', () => {
    property((given, list) => {
      const { sequences, rejected, summary } = simulateLlm(make(given), list, COST);
      const refused = new Set(rejected.map(({ request }) => request));
      const accepted = list.filter(({ id }) => !refused.has(id));
      expect(sequences.map(({ id }) => id)).toEqual(accepted.map(({ id }) => id));
      expect(summary.tokens).toBe(accepted.reduce((sum, { outputTokens }) => sum + outputTokens, 0));
      for (const [i, { firstTokenNs, endNs }] of sequences.entries()) {
        expect(firstTokenNs).toBeGreaterThan(accepted[i]!.at);
        expect(endNs).toBeGreaterThanOrEqual(firstTokenNs);
      }
    });
  });

  test('never holds more than the pool, and nothing in the end', () => {
    property((given, list) => {
      const scheduler = make(given);
      const { iterations } = simulateLlm(scheduler, list, COST);
      for (const { freeBlocks } of iterations) expect(freeBlocks).toBeGreaterThanOrEqual(0);
      expect(scheduler.freeBlocks()).toBe(given.numBlocks);
    });
  });

  test('computes somebody in every iteration, nobody twice, and no more than maxNumSeqs', () => {
    property((given, list) => {
      for (const { prefill, decode } of simulateLlm(make(given), list, COST).iterations) {
        const all = [...prefill.map(([id]) => id), ...decode];
        expect(all.length).toBeGreaterThan(0);
        expect(all.length).toBeLessThanOrEqual(given.maxNumSeqs);
        expect(new Set(all).size).toBe(all.length);
        for (const [, tokens] of prefill) expect(tokens).toBeGreaterThan(0);
      }
    });
  });

  test('does the same when it is run again', () => {
    property((given, list) => {
      expect(simulateLlm(make(given), list, COST)).toEqual(simulateLlm(make(given), list, COST));
    });
  });
});
