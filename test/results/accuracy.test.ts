import { describe, expect, test } from 'vitest';
import {
  type AccuracyMetric,
  type AnswerPart,
  accuracyMetricNamed,
  accuracyMetrics,
  type Truth,
} from '../../results/accuracy/index.js';
import { wilson } from '../../results/stats/index.js';

const scores = (...numbers: readonly number[]): AnswerPart => ({ name: 'y', numbers, isWhole: false });
const classes = (...numbers: readonly number[]): AnswerPart => ({ name: 'class', numbers, isWhole: true });
const texts = (name: string, ...all: readonly string[]): AnswerPart => ({ name, texts: all, isWhole: false });

/** By what a metric needs: a perfect answer, and one of another kind. */
const CASES: Readonly<Record<AccuracyMetric['needs'], { truth: Truth; perfect: AnswerPart; foreign: AnswerPart }>> = {
  class: { truth: 2, perfect: scores(0.1, 0.2, 0.7), foreign: texts('text', 'owl') },
  text: { truth: 'owl', perfect: texts('text', 'owl'), foreign: scores(1) },
  outputs: { truth: [1, 2], perfect: scores(1, 2), foreign: texts('text', 'owl') },
};

const totalOf = (name: string, values: readonly number[]) =>
  accuracyMetricNamed(name).total(Float64Array.from(values), 1n);
const judge = (name: string, answer: AnswerPart | readonly AnswerPart[], truth: Truth) =>
  accuracyMetricNamed(name).judge([answer].flat(), truth);

describe.each((accuracyMetrics as readonly AccuracyMetric[]).map((each) => [each.name, each] as const))(
  '%s',
  (_, metric) => {
    const { truth, perfect, foreign } = CASES[metric.needs];
    const best = metric.lowerIsBetter ? 0 : 1;

    test('a perfect answer is as good as can be; one of another kind is unknown, not wrong', () => {
      const judged = metric.judge([perfect], truth);
      const { value, interval, correct } = metric.total(Float64Array.of(judged, judged, judged), 1n);
      expect(value).toBeCloseTo(best, 12);
      expect(interval.low <= value + 1e-12 && value <= interval.high + 1e-12).toBe(true);
      expect(correct).toBe(metric.kind === 'share' ? 3 : null);
      expect(metric.judge([foreign], truth)).toBeNaN();
      expect(metric.judge([], truth)).toBeNaN();
    });

    test('one judgement has a figure too; the same seed gives the same interval', () => {
      const one = Float64Array.of(metric.judge([perfect], truth));
      expect(metric.total(one, 1n).value).toBeCloseTo(best, 12);
      expect(metric.total(one, 1n)).toEqual(metric.total(one, 1n));
    });
  },
);

test('top-1 takes the first of equal scores, an integer as it is, the output "class" before others, and names as names', () => {
  expect(judge('top-1', scores(0.1, 0.7, 0.7), 1)).toBe(1);
  expect(judge('top-1', { name: 'y', numbers: [7], isWhole: true }, 7)).toBe(1);
  expect(judge('top-1', [scores(1, 0), classes(5)], 5)).toBe(1);
  expect(judge('top-1', [classes(5), texts('label', 'json')], 'json')).toBe(1);
  expect(judge('top-1', [classes(5), texts('label', 'yaml')], 'json')).toBe(0);
});

test('top-5 counts the fifth and not the sixth; the share has Wilson’s interval', () => {
  const six = scores(6, 5, 4, 3, 2, 1);
  expect([judge('top-5', six, 4), judge('top-5', six, 5)]).toEqual([1, 0]);
  expect(judge('top-5', classes(9, 8, 7), 7)).toBe(1);
  expect(totalOf('top-5', [1, 1, 1, 0])).toEqual({ value: 0.75, correct: 3, interval: wilson(3, 4) });
});

test('macro F1 of a, a, b, b answered a, b, b, b is the mean of 2/3 and 4/5', () => {
  const pairs = [
    [0, 0],
    [1, 0],
    [1, 1],
    [1, 1],
  ] as const;
  const judged = pairs.map(([answer, truth]) => judge('f1', { name: 'y', numbers: [answer], isWhole: true }, truth));
  const { value, interval } = totalOf('f1', judged);
  expect(value).toBeCloseTo((2 / 3 + 4 / 5) / 2, 12);
  expect(interval.low).toBeLessThan(value);
  expect(interval.high).toBeGreaterThan(value);
});

test('exact match minds every character but white space at the ends', () => {
  expect(judge('exact-match', texts('text', ' 42 ms\n'), '42 ms')).toBe(1);
  expect(judge('exact-match', texts('text', '42ms'), '42 ms')).toBe(0);
  expect(judge('exact-match', texts('text', 'two', 'lines'), 'two\nlines')).toBe(1);
  expect(judge('exact-match', texts('text', 'two', 'lines'), 'two')).toBe(0);
});

test('the mean absolute error of 1, 4 against 2, 2 is 1.5; of three samples 1, 2, 3 it is 2', () => {
  expect(judge('mean-absolute-error', scores(1, 4), [2, 2])).toBe(1.5);
  expect(totalOf('mean-absolute-error', [1, 2, 3]).value).toBe(2);
});

test('the cosine of (1, 0) and (1, 1) is √½; of other lengths it is unknown', () => {
  expect(judge('cosine', scores(1, 0), [1, 1])).toBeCloseTo(Math.SQRT1_2, 12);
  expect(judge('cosine', scores(1, 0, 0), [1, 1])).toBeNaN();
});
