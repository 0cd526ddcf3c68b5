import { expect, test } from 'vitest';
import { bucketOf, fnv1a } from '../../../servers/strategies/support/hash.js';
import { play } from './stage.js';

test('the shadow is three times slower, keeps one copy waiting, and nobody notices', () => {
  const stage = { strategy: 'route-shadow', options: { maxShadowQueue: 1 }, instances: [{}, { speed: 3 }] };
  expect(play(stage, [0, 10, 20, 31])).toEqual([
    '{a} @ 0–10 on 0',
    '{a} @ 0–30 on 1',
    '{b} @ 10–20 on 0',
    '{c} @ 20–30 on 0',
    '{b} @ 30–60 on 1',
    '{d} @ 31–41 on 0',
    '{d} @ 60–90 on 1',
  ]);
});

test('a request is copied if the bucket of its id is below the share', () => {
  const ids = Array.from({ length: 40 }, (_, i) => `r${i}`);
  const stage = { strategy: 'route-shadow', options: { mirrorBasisPoints: 5000 }, instances: 2 };
  const lines = play(
    stage,
    ids.map((id, i) => ({ id, at: 20 * i })),
  );
  const copied = lines.filter((line) => line.endsWith('on 1')).map((line) => line.slice(1, line.indexOf('}')));
  expect(copied).toEqual(ids.filter((id) => bucketOf('shadow', id) < 5000));
});

test('the hash is FNV-1a', () => {
  expect(['', 'a', 'foobar'].map(fnv1a)).toEqual([2166136261, 3826002220, 3214735720]);
});

test('one instance is not enough', () => {
  expect(() => play({ strategy: 'route-shadow' }, [])).toThrow(/there is none for the copies.*Set instances: 2/);
});
