import { expect, test } from 'vitest';
import { createController } from '../../../servers/controllers/registry.js';

test('the free queue of ten blocks of four ends as 7 8 9 4 3 2 6 5 1 0, and a third prompt reuses 0, 1 and 2', () => {
  const cache = createController('llm-rules', { numBlocks: 10, blockSize: 4 });
  cache.step({ op: 'allocate', request: '0', tokens: 15, keys: ['p', 'q', 'r'] });
  cache.step({ op: 'append', request: '0', key: 's' });
  cache.step({ op: 'allocate', request: '1', tokens: 14, keys: ['p', 'q', 'x'] });
  cache.step({ op: 'release', request: '0' });
  expect(cache.step({ op: 'release', request: '1' })).toEqual({ free: [7, 8, 9, 4, 3, 2, 6, 5, 1, 0] });
  const keys = ['p', 'q', 'r', 't', 'u', 'v', 'w'];
  const third = { blocks: [0, 1, 2, 7, 8, 9, 4, 3], hits: 3, free: [6, 5] };
  expect(cache.step({ op: 'allocate', request: '2', tokens: 29, keys })).toEqual(third);
});

test('an allocation that does not fit changes nothing; a block that is reused is no longer known', () => {
  const cache = createController('llm-rules', { numBlocks: 2, blockSize: 4 });
  cache.step({ op: 'allocate', request: 'a', tokens: 4, keys: ['x'] });
  const refused = { blocks: null, hits: 1, free: [1] };
  expect(cache.step({ op: 'allocate', request: 'b', tokens: 12, keys: ['x', 'y', 'z'] })).toEqual(refused);
  cache.step({ op: 'append', request: 'a' });
  expect(cache.step({ op: 'append', request: 'a' })).toEqual({ blocks: null, free: [] });
  cache.step({ op: 'release', request: 'a' });
  cache.step({ op: 'allocate', request: 'c', tokens: 8, keys: ['y', 'x'] });
  cache.step({ op: 'release', request: 'c' });
  // c took blocks 1 and 0: x was forgotten with block 0, and is known again as its second block.
  expect(cache.step({ op: 'allocate', request: 'd', tokens: 4, keys: ['x'] })).toMatchObject({ blocks: [0], hits: 1 });
  expect(() => cache.step({ op: 'allocate', request: 'd', tokens: 4, keys: [] })).toThrow('"d" holds blocks already');
  expect(() => cache.step({ op: 'release', request: 'c' })).toThrow('llm-rules.release.request: "c" is unknown.');
});

test('a block that was filled up under a second key loses both when it is reused', () => {
  const cache = createController('llm-rules', { numBlocks: 2, blockSize: 4 });
  cache.step({ op: 'allocate', request: 'a', tokens: 4, keys: ['x'] });
  cache.step({ op: 'append', request: 'a', key: 'y' });
  cache.step({ op: 'release', request: 'a' });
  const other = { op: 'allocate', request: 'b', tokens: 8, keys: [] };
  expect(cache.step(other)).toEqual({ blocks: [1, 0], hits: 0, free: [] });
  cache.step({ op: 'release', request: 'b' });
  const both = ['x', 'y'].map((key) => cache.step({ op: 'allocate', request: key, tokens: 4, keys: [key] }));
  expect(both).toMatchObject([{ hits: 0 }, { hits: 0 }]);
});

test('a tie goes to the earlier client, and who comes back does not profit from having been away', () => {
  const vtc = createController('llm-rules');
  vtc.step({ op: 'arrive', client: 'A' });
  expect(vtc.step({ op: 'serve', promptTokens: 100, keep: true })).toEqual({ client: 'A', counter: 100 });
  expect(vtc.step({ op: 'arrive', client: 'B' })).toEqual({ counter: 100 });
  expect(vtc.step({ op: 'serve', promptTokens: 10 })).toEqual({ client: 'A', counter: 110 });
  expect(vtc.step({ op: 'token', client: 'B', tokens: 3 })).toEqual({ counter: 106 });
  expect(vtc.step({ op: 'serve', promptTokens: 1 })).toEqual({ client: 'B', counter: 107 });
  expect(vtc.step({ op: 'serve', promptTokens: 1 })).toEqual({ client: null });
  expect(() => vtc.step({ op: 'token', client: 'C' })).toThrow('"C" is unknown');
});

test('three requests of (run, left) 101, 49 · 51, 199 · 11, 9 need 250 tokens at the peak', () => {
  const rules = createController('llm-rules');
  const requests = [
    [101, 49],
    [51, 199],
    [11, 9],
  ];
  // By what is left: 199·1 + 51 = 250; 49·2 + 152 = 250; 9·3 + 163 = 190.
  const admit = (maxTotalTokens: number, maxRequests = 3) =>
    rules.step({ op: 'slora-admit', requests, ranks: [8, 8], maxTotalTokens, maxRequests });
  expect(admit(315)).toEqual({ need: 250, limit: 251, admit: true });
  expect(admit(314)).toEqual({ need: 250, limit: 250, admit: false });
  expect(admit(315, 2)).toMatchObject({ admit: false });
});

test('TGI interrupts 10 running for 3 waiting, none running for 1, and for any number after 20 steps', () => {
  const rules = createController('llm-rules');
  const least = (batch: number, waitedSteps = 1) =>
    (rules.step({ op: 'tgi-min-size', batch, waitedSteps }) as { minSize: number }).minSize;
  expect([least(0), least(1), least(10), least(10, 20)]).toEqual([1, 0, 3, 0]);
});

test('a batch stops at the first that does not fit the prefill budget, the blocks or the places', () => {
  const rules = createController('llm-rules');
  const taken = (more: object) =>
    rules.step({
      op: 'tgi-batch',
      queue: [
        [20, 10],
        [90, 10],
        [5, 10],
      ],
      prefillBudget: 1000,
      tokenBudget: 1000,
      ...more,
    });
  expect(taken({})).toEqual({ taken: 3 });
  expect(taken({ prefillBudget: 100 })).toEqual({ taken: 1 });
  expect(taken({ prefillBudget: 100, minSize: 2 })).toEqual({ taken: 0 });
  expect(taken({ minSize: 4 })).toEqual({ taken: 0 });
  // 29 tokens in blocks of 16 are 2.
  expect(taken({ freeBlocks: 2 })).toEqual({ taken: 1 });
  expect(taken({ room: 2 })).toEqual({ taken: 2 });
  expect(taken({ queue: [] })).toEqual({ taken: 0 });
});
