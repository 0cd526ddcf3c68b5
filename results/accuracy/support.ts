import { meanInterval, wilson } from '../stats/index.js';
import type { Accuracy, AnswerPart, Truth } from './contract.js';

/** Of 0 and 1: the share with Wilson's interval. */
export function shareOf(judgements: Float64Array): Accuracy {
  const correct = judgements.reduce((sum, value) => sum + value, 0);
  const { length } = judgements;
  return { value: correct / length, interval: wilson(correct, length), correct };
}

/** The mean with its bootstrap interval; of a single value that value. */
export function meanOf(judgements: Float64Array, seed: bigint): Accuracy {
  const value = judgements.reduce((sum, each) => sum + each, 0) / judgements.length;
  const interval = meanInterval([...judgements], seed) ?? { low: value, high: value, level: 0.95 };
  return { value, interval, correct: null };
}

/**
 * Classes that an answer names, the likeliest first: an output `class` of whole numbers, a single whole number, else the
 * indices of the k largest scores of the first output (of equals the first).
 */
export function classesOf(answer: readonly AnswerPart[], k: number): readonly number[] {
  const named = answer.find(({ name, isWhole }) => name === 'class' && isWhole) ?? answer[0];
  const { numbers } = named ?? {};
  if (!named || !numbers || numbers.length === 0) return [];
  if (named.isWhole && (named.name === 'class' || numbers.length === 1)) return Array.from(numbers).slice(0, k);
  const top: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    let at = top.length;
    while (at > 0 && numbers[i]! > numbers[top[at - 1]!]!) at--;
    if (at < k) top.splice(at, 0, i);
    if (top.length > k) top.pop();
  }
  return top;
}

/** The texts of an answer: the output `label` or `text`, else the first one that has any. */
export function textsOf(answer: readonly AnswerPart[]): readonly string[] {
  const named = answer.find(({ name, texts }) => texts && (name === 'label' || name === 'text'));
  return (named ?? answer.find(({ texts }) => texts))?.texts ?? [];
}

/** Whether one of the k likeliest classes is the right one: by name where the truth is a text, else by number. */
export function isAmong(answer: readonly AnswerPart[], truth: Truth, k: number): number {
  const named: readonly (number | string)[] =
    typeof truth === 'string' ? textsOf(answer).slice(0, k) : classesOf(answer, k);
  if (named.length === 0 || typeof truth === 'object') return Number.NaN;
  return Number(named.includes(truth));
}

/** The first output's numbers and the truth's, where they are as many. */
export function pairsOf(
  answer: readonly AnswerPart[],
  truth: Truth,
): readonly [ArrayLike<number>, ArrayLike<number>] | undefined {
  const numbers = answer.find((part) => part.numbers)?.numbers;
  const wanted = typeof truth === 'number' ? [truth] : truth;
  if (!numbers || typeof wanted === 'string' || numbers.length !== wanted.length) return undefined;
  return [numbers, wanted];
}
