import { expect, test } from 'vitest';
import { play } from './stage.js';

test('serial runs one after the other and leaves a second instance idle', () => {
  const lines = play({ strategy: 'serial', instances: 2 }, [0, 0, 15]);
  expect(lines).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 0', '{c} @ 20–30 on 0']);
});

test('serial with room for one refuses the second and third that arrive together', () => {
  const lines = play({ strategy: 'serial', options: { maxQueueSize: 1 } }, [0, 0, 0]);
  expect(lines).toEqual(['b rejected @ 0: queue-full', 'c rejected @ 0: queue-full', '{a} @ 0–10 on 0']);
});

test('an instance that frees at 10 takes the request that arrives at 10', () => {
  expect(play({ strategy: 'serial' }, [0, 10])).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 0']);
});

test('instance-group takes the lowest idle instance', () => {
  const lines = play({ strategy: 'instance-group', instances: 2 }, [0, 1, 10, 10]);
  expect(lines).toEqual(['{a} @ 0–10 on 0', '{b} @ 1–11 on 1', '{c} @ 10–20 on 0', '{d} @ 11–21 on 1']);
});

test('an instance with speed 2 takes twice as long', () => {
  const lines = play({ strategy: 'instance-group', instances: [{}, { speed: 2 }] }, [0, 0]);
  expect(lines).toEqual(['{a} @ 0–10 on 0', '{b} @ 0–20 on 1']);
});

test('with priorities 1 and 2 instance 0 gets two turns for each of instance 1', () => {
  const options = { rateLimiter: { instances: [{ priority: 1 }, { priority: 2 }] } };
  const lines = play({ strategy: 'instance-group', instances: 2, options }, [0, 20, 40, 60, 80, 100]);
  expect(lines.map((line) => line.at(-1)).join('')).toBe('010010');
});

test('an instance that waits for its resource lets no other pass', () => {
  // While a holds R on 0, the next in turn is 1, which needs R too: 2 needs nothing and stays idle all the same.
  const instances = [{ resources: { R: 1 } }, { priority: 5, resources: { R: 1 } }];
  const options = { rateLimiter: { resources: { R: 1 }, instances } };
  const lines = play({ strategy: 'instance-group', instances: 3, options }, [0, 0, 0]);
  expect(lines).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 1', '{c} @ 10–20 on 2']);
});

test('an instance that needs more than there is is refused', () => {
  const options = { rateLimiter: { resources: { R: 1 }, instances: [{ resources: { R: 2 } }] } };
  expect(() => play({ strategy: 'instance-group', options }, [0])).toThrow(
    /instances\.0\.resources\.R: needs 2 of "R"/,
  );
});
