import { expect, test } from 'vitest';
import { MS, play } from './stage.js';

const costs = { rt: [[1, 4 * MS]], be: [[1, 24 * MS]] } as const;
const rt = (id: string, at: number) => ({ id, at, class: 'rt' as const, model: 'rt' });
const be = (id: string, at: number, client = id) => ({ id, at, class: 'be' as const, model: 'be', client });
const reef = (options: Readonly<Record<string, unknown>>, arrivals: Parameters<typeof play>[1]) =>
  play({ strategy: 'reef-stage', options: { stages: 4, ...options }, costs }, arrivals);

/** Two best-effort requests of 24 ms at 0, a real-time one of 4 ms at 5. */
const three = [be('A', 0), be('B', 0), rt('R', 5)];

test('without stages the real-time request waits for all of A', () => {
  expect(reef({ mode: 'none' }, three)).toEqual(['{A} @ 0–24 on 0', '{R} @ 24–28 on 0', '{B} @ 28–52 on 0']);
});

test('with two stages at a time it waits until 12', () => {
  expect(reef({ mode: 'wait', depth: 2 }, three).slice(0, 3)).toEqual([
    '{A} @ 0–12 on 0',
    '{R} @ 12–16 on 0',
    '{A} @ 16–28 on 0',
  ]);
});

test('with one stage at a time it waits until 6, and A goes on at 10', () => {
  expect(reef({ mode: 'stage' }, three).slice(0, 3)).toEqual(['{A} @ 0–6 on 0', '{R} @ 6–10 on 0', '{A} @ 10–16 on 0']);
});

test('killing, it runs at once, and A, in its first stage, begins anew', () => {
  expect(reef({ mode: 'kill', respawn: '4ms' }, three).slice(0, 4)).toEqual([
    '{A} @ 0–24 on 0',
    'killed @ 5 on 0',
    '{R} @ 5–9 on 0',
    '{A} @ 9–33 on 0',
  ]);
});

test('a killed request keeps the stages it has completed, up to the very nanosecond', () => {
  const lines = reef({ mode: 'kill' }, [be('A', 0), rt('R', 12)]);
  expect(lines).toEqual(['{A} @ 0–24 on 0', 'killed @ 12 on 0', '{R} @ 12–16 on 0', '{A} @ 16–28 on 0']);
});

test('after a kill best effort stays away for the respawn time although the instance is idle', () => {
  const lines = reef({ mode: 'kill', respawn: '10ms' }, [be('A', 0), rt('R', 6)]);
  expect(lines.at(-1)).toBe('{A} @ 16–34 on 0');
});

test('best-effort clients take turns, however much one of them has waiting', () => {
  const lines = reef({ mode: 'none' }, [be('A', 0, 'p'), be('B', 0, 'p'), be('C', 0, 'q')]);
  expect(lines.map((line) => line.slice(0, 3))).toEqual(['{A}', '{C}', '{B}']);
});
