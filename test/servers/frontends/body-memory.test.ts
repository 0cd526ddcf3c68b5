import { expect, test } from 'vitest';
import { BodyMemory } from '../../../servers/frontends/body-memory.js';

test('What was given back is used again for bodies of nearly the same length, up to a limit', () => {
  const memory = new BodyMemory(3 * 64 * 1024);
  const first = memory.take(100_000);
  const second = memory.take(131_072);
  expect([first.length, second.length]).toEqual([100_000, 131_072]);
  expect(second.buffer).not.toBe(first.buffer);
  memory.giveBack(first);
  // Beyond the limit: left to the collector.
  memory.giveBack(second);
  const third = memory.take(70_000);
  expect(third.buffer).toBe(first.buffer);
  expect(third.length).toBe(70_000);
  expect(memory.take(70_000).buffer).not.toBe(second.buffer);
  memory.giveBack(Buffer.alloc(0));
  memory.giveBack(Buffer.alloc(5));
  expect(memory.take(5).buffer.byteLength).toBe(64 * 1024);
});
