import { expect, test } from 'vitest';
import { createController } from '../../../servers/controllers/registry.js';

const arithmetic = createController('schedule-arithmetic');
/** 1 ms a row. */
const stage = [
  [1, 1_000_000],
  [2, 2_000_000],
];
const pipeline = (microBatches: number, more: object = {}) =>
  arithmetic.step({ op: 'pp', rows: 8, microBatches, stages: [stage, stage, stage, stage], ...more }) as {
    makespanNs: number;
    efficiency: number;
    microRows: number[];
  };

test('four equal stages: 4 micro-batches need 7 stage times (57.1 %), 8 need 11 (72.7 %)', () => {
  expect(pipeline(4)).toMatchObject({ makespanNs: 14e6, microRows: [2, 2, 2, 2] });
  expect(pipeline(4).efficiency).toBeCloseTo(0.571, 3);
  expect(pipeline(8)).toMatchObject({ makespanNs: 11e6 });
  expect(pipeline(8).efficiency).toBeCloseTo(0.727, 3);
});

test('a transfer delays each of the three later stages once where nothing else does', () => {
  expect(pipeline(4, { transferNs: 500_000 }).makespanNs).toBe(15.5e6);
});

test('eight rows in three micro-batches are 3, 3, 2; in nine they are refused', () => {
  expect(pipeline(3).microRows).toEqual([3, 3, 2]);
  expect(() => pipeline(9)).toThrow('schedule-arithmetic.pp.microBatches: must not exceed rows.');
});

test('one pass for the prompt and one a token, each with its own micro-batches', () => {
  const part = { rows: 8, stages: [stage, stage, stage, stage] };
  const given = { prompt: part, generate: part, tokens: 10, promptMicroBatches: 4, generateMicroBatches: 8 };
  const expected = { promptNs: 14e6, generateNs: 11e6, totalNs: 124e6 };
  expect(arithmetic.step({ op: 'hybrid', ...given })).toEqual(expected);
  expect(() => arithmetic.step({ op: 'hybrid', ...given, generateMicroBatches: 9 })).toThrow('must not exceed rows');
});

test('two devices halve a layer of 8 ms and pay two reductions of 1.5 ms: 7 ms, a speed-up of 8/7', () => {
  const layer = { rows: 1, tokens: 10, hidden: 100, layers: 3, layer: [[1, 8e6]], latencyNs: 5e5, nsPerKiloFloat: 1e6 };
  const split = { floatsPerLayer: 2000, layerNs: 7e6, totalNs: 21e6, speedup: 8 / 7 };
  expect(arithmetic.step({ op: 'tp', tp: 2, ...layer })).toEqual(split);
  const alone = { floatsPerLayer: 0, layerNs: 8e6, totalNs: 24e6, speedup: 1 };
  expect(arithmetic.step({ op: 'tp', tp: 1, ...layer })).toEqual(alone);
});

test('guesses that are always right give gamma + 1 tokens a verification', () => {
  const sure = { tokensPerVerify: 5, speedup: 5 / 1.4 };
  expect(arithmetic.step({ op: 'speculative', alpha: 1, gamma: 4, c: 0.1 })).toEqual(sure);
  const half = { tokensPerVerify: 1.75, speedup: 1.75 };
  expect(arithmetic.step({ op: 'speculative', alpha: 0.5, gamma: 2, c: 0 })).toEqual(half);
});

test('an operation that does not exist is refused with the list of those that do', () => {
  expect(() => arithmetic.step({ op: 'magic' })).toThrow(
    'schedule-arithmetic.op: there is no operation "magic". Allowed: pp, hybrid, tp, speculative.',
  );
  expect(() => arithmetic.step({})).toThrow('the step names no operation');
});
