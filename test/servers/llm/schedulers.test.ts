import { describe, expect, test } from 'vitest';
import {
  createLlmScheduler,
  findLlmScheduler,
  type LlmRequest,
  llmSchedulers,
  simulateLlm,
} from '../../../servers/llm/index.js';

/** An iteration lasts 10 ns, a prefilled token 1 ns more, a decoded sequence 2 ns. */
const COST = { baseNs: 10, prefillTokenNs: 1, decodeSeqNs: 2 };

const request = (id: string, promptTokens: number, outputTokens: number, at = 0): LlmRequest => ({
  id,
  at,
  promptTokens,
  outputTokens,
});
const run = (name: string, options: object, ...requests: LlmRequest[]) =>
  simulateLlm(createLlmScheduler(name, options), requests, COST);
const ends = ({ sequences }: ReturnType<typeof run>) => sequences.map(({ endNs }) => endNs);
const batches = ({ iterations }: ReturnType<typeof run>) =>
  iterations.map(({ prefill, decode }) => [prefill.map(([id, tokens]) => `${id}${tokens}`).join(), decode.join()]);

describe('llm-static', () => {
  test('a short answer waits for the longest one of its batch, which is computed on in vain, and so does the next', () => {
    const result = run('llm-static', { maxNumSeqs: 2 }, request('a', 4, 3), request('b', 4, 1), request('c', 4, 1));
    expect(batches(result)).toEqual([
      ['a4,b4', ''],
      ['', 'a,b'],
      ['', 'a,b'],
      ['c4', ''],
    ]);
    // 18, then 14 and 14: both end at 46; c's prefill takes 14 more.
    expect(ends(result)).toEqual([46, 46, 60]);
    expect(result.sequences.map(({ firstTokenNs }) => firstTokenNs)).toEqual([18, 18, 60]);
    expect(result.summary).toEqual({ iterations: 4, tokens: 5, lastEndNs: 60, preemptions: 0, p50FirstTokenNs: 18 });
  });
});

describe('llm-orca', () => {
  test('the place of a short answer is filled in the next iteration, beside the decodes', () => {
    const result = run('llm-orca', { maxNumSeqs: 2 }, request('a', 4, 3), request('b', 4, 1), request('c', 4, 1));
    expect(batches(result)).toEqual([
      ['a4,b4', ''],
      ['c4', 'a'],
      ['', 'a'],
    ]);
    expect(ends(result)).toEqual([46, 18, 34]);
  });

  test('every sequence reserves the longest length: ten blocks of four hold two of 20 tokens', () => {
    const options = { blockSize: 4, numBlocks: 10, maxModelLen: 20 };
    const [first] = run('llm-orca', options, request('a', 1, 1), request('b', 1, 1), request('c', 1, 1)).iterations;
    expect(first).toMatchObject({
      prefill: [
        ['a', 1],
        ['b', 1],
      ],
      freeBlocks: 0,
    });
  });

  test('more than the model’s length, or a pool smaller than it, is too long', () => {
    const reasons = (options: object, ...requests: LlmRequest[]) =>
      run('llm-orca', options, ...requests).rejected.map(({ request: id, reason }) => [id, reason]);
    expect(reasons({ maxModelLen: 10 }, request('a', 6, 4), request('b', 6, 5))).toEqual([['b', 'too-long']]);
    expect(reasons({ maxModelLen: 33, numBlocks: 2 }, request('a', 1, 1))).toEqual([['a', 'too-long']]);
  });
});

describe('llm-vllm', () => {
  test('a prompt that arrives stalls the decodes for one iteration', () => {
    const result = run('llm-vllm', {}, request('a', 4, 3), request('p', 100, 1, 14));
    expect(batches(result)).toEqual([
      ['a4', ''],
      ['p100', ''],
      ['', 'a'],
      ['', 'a'],
    ]);
  });

  test('with four blocks of four, b gives way when a grows past 8 tokens and is computed again with what it had', () => {
    const result = run('llm-vllm', { blockSize: 4, numBlocks: 4 }, request('a', 6, 4), request('b', 6, 4));
    expect(batches(result)).toEqual([
      ['a6,b6', ''],
      ['', 'a,b'],
      ['', 'a,b'],
      ['', 'a'],
      ['b9', ''],
    ]);
    expect(result.iterations[3]).toMatchObject({ preempted: ['b'], freeBlocks: 1 });
    expect(result.iterations.slice(0, 3).some((iteration) => 'preempted' in iteration)).toBe(false);
    expect(result.summary).toMatchObject({ tokens: 8, preemptions: 1 });
    // Its first token, at 22, stays the first.
    expect(result.sequences[1]!.firstTokenNs).toBe(22);
  });

  test('who needs a block and is the last to be admitted preempts itself', () => {
    // a reserves 2 of 3 blocks, b one; b grows to 5 tokens first.
    const options = { blockSize: 4, numBlocks: 3 };
    const result = run('llm-vllm', options, request('a', 5, 4), request('b', 4, 3));
    expect(result.iterations[1]).toMatchObject({ decode: ['a'], preempted: ['b'], freeBlocks: 1 });
    expect(result.summary.tokens).toBe(7);
  });

  test('prompts share an iteration up to maxNumBatchedTokens; what could never be computed again in one is too long', () => {
    const options = { maxNumBatchedTokens: 10 };
    const result = run(
      'llm-vllm',
      options,
      request('a', 6, 1),
      request('b', 5, 1),
      request('c', 5, 1),
      request('d', 8, 4),
    );
    expect(batches(result)).toEqual([
      ['a6', ''],
      ['b5,c5', ''],
    ]);
    expect(result.rejected).toEqual([{ request: 'd', at: 0, reason: 'too-long' }]);
  });
});

describe('llm-sarathi', () => {
  test('a prompt of 10 rides along in chunks of what the decode leaves of 4 tokens: 3, 3, 3, then 1', () => {
    const result = run('llm-sarathi', { chunkSize: 4 }, request('a', 4, 6), request('p', 10, 1));
    expect(batches(result)).toEqual([
      ['a4', ''],
      ['p3', 'a'],
      ['p3', 'a'],
      ['p3', 'a'],
      ['p1', 'a'],
      ['', 'a'],
    ]);
  });

  test('decodes go first even where they are more than the chunk, and prompts wait', () => {
    const result = run('llm-sarathi', { chunkSize: 1 }, request('a', 1, 3), request('b', 1, 1));
    expect(batches(result)).toEqual([
      ['a1', ''],
      ['', 'a'],
      ['', 'a'],
      ['b1', ''],
    ]);
  });

  test('nobody is admitted in an iteration that preempts', () => {
    const options = { blockSize: 4, numBlocks: 3, chunkSize: 64 };
    const result = run('llm-sarathi', options, request('a', 4, 5), request('b', 8, 2), request('c', 4, 1, 1));
    // a's fifth token needs b's second block: b's two are free again, one of them goes to a.
    expect(result.iterations[1]).toMatchObject({ prefill: [], decode: ['a'], preempted: ['b'], freeBlocks: 1 });
    expect(result.rejected).toEqual([]);
    expect(result.summary.tokens).toBe(8);
  });

  test('a prompt that is preempted half-way begins anew', () => {
    const options = { blockSize: 4, numBlocks: 4, chunkSize: 5 };
    const result = run('llm-sarathi', options, request('a', 4, 9), request('p', 12, 1));
    expect(batches(result).slice(0, 3)).toEqual([
      ['a4,p1', ''],
      ['', 'a'],
      ['', 'a'],
    ]);
    expect(result.iterations[1]).toMatchObject({ preempted: ['p'], freeBlocks: 2 });
    expect(result.iterations.flatMap(({ prefill }) => prefill.filter(([id]) => id === 'p'))).toEqual([
      ['p', 1],
      ['p', 5],
      ['p', 5],
      ['p', 2],
    ]);
  });
});

describe('llm-tgi', () => {
  const ten = Array.from({ length: 10 }, (_, i) => request(`r${i}`, 1, 40));

  test('ten running are interrupted for three waiting, not for two', () => {
    const late = (count: number) => Array.from({ length: count }, (_, i) => request(`w${i}`, 1, 1, 1));
    const prefills = (count: number) =>
      run('llm-tgi', {}, ...ten, ...late(count)).iterations.flatMap(({ prefill }, i) =>
        prefill.length > 0 ? [i] : [],
      );
    expect(prefills(3)).toEqual([0, 1]);
    // One prefill and 19 decodes are 20 steps.
    expect(prefills(2)).toEqual([0, 20]);
  });

  test('memory is reserved to the end: the same case that preempts under vLLM runs one after the other', () => {
    const result = run('llm-tgi', { blockSize: 4, numBlocks: 4 }, request('a', 6, 4), request('b', 6, 4));
    expect(result.summary.preemptions).toBe(0);
    expect(batches(result)).toEqual([
      ['a6', ''],
      ...new Array(3).fill(['', 'a']),
      ['b6', ''],
      ...new Array(3).fill(['', 'b']),
    ]);
  });

  test('the head of the line blocks: a prompt over the prefill budget keeps a small one behind it waiting', () => {
    const result = run(
      'llm-tgi',
      { maxBatchPrefillTokens: 10 },
      request('a', 6, 1),
      request('b', 5, 1),
      request('c', 4, 1),
    );
    expect(batches(result)).toEqual([
      ['a6', ''],
      ['b5,c4', ''],
    ]);
  });

  test('refuses what its budgets can never hold, then what is too many at once', () => {
    const options = { maxBatchPrefillTokens: 10, maxBatchTotalTokens: 20, maxConcurrentRequests: 2, numBlocks: 2 };
    const given = [
      request('long', 11, 1),
      request('total', 10, 11),
      request('a', 1, 1),
      request('b', 1, 1),
      request('c', 1, 1),
    ];
    const { rejected } = run('llm-tgi', options, ...given);
    expect(rejected.map(({ request: id, reason }) => [id, reason])).toEqual([
      ['long', 'too-long'],
      ['total', 'too-long'],
      ['c', 'overloaded'],
    ]);
    expect(run('llm-tgi', { numBlocks: 1, blockSize: 4 }, request('a', 4, 2)).rejected).toHaveLength(1);
  });
});

describe('the simulation', () => {
  test('at one instant the iteration ends, then requests arrive, then the next iteration is planned', () => {
    // a ends at 14; b arrives at that time and finds the only place free.
    const options = { maxNumSeqs: 1, maxConcurrentRequests: 1 };
    expect(run('llm-tgi', options, request('a', 4, 1), request('b', 4, 1, 14)).rejected).toEqual([]);
    expect(run('llm-tgi', options, request('a', 4, 1), request('b', 4, 1, 13)).rejected).toHaveLength(1);
  });

  test('the last event may be a refusal, and without an accepted request there is no first token', () => {
    const result = run('llm-orca', { maxModelLen: 4 }, request('a', 4, 1, 7));
    const summary = { iterations: 0, tokens: 0, lastEndNs: 7, preemptions: 0, p50FirstTokenNs: null };
    expect(result).toEqual({
      iterations: [],
      sequences: [],
      rejected: [{ request: 'a', at: 7, reason: 'too-long' }],
      summary,
    });
  });

  test('an unknown scheduler or option is refused', () => {
    const names = llmSchedulers.map(({ name }) => name).join(', ');
    expect(() => createLlmScheduler('llm-none')).toThrow(`there is no LLM scheduler "llm-none". Allowed: ${names}.`);
    expect(() => createLlmScheduler('llm-tgi', { chunkSize: 3 })).toThrow('chunkSize');
    expect(findLlmScheduler('llm-none')).toBeUndefined();
  });
});
