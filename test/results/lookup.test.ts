import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checked, lookUp } from '../../results/lookup.js';

const things = [{ name: 'poisson' }, { name: 'constant' }];

describe('a look-up by name', () => {
  test('finds the thing', () => {
    expect(lookUp(things, 'constant', 'arrival process')).toBe(things[1]);
  });

  test('lists all names, and says which one was meant where one is near', () => {
    expect(() => lookUp(things, 'poison', 'arrival process', 'loads.a.arrivals')).toThrow(
      'loads.a.arrivals: there is no arrival process "poison". Allowed: poisson, constant. Did you mean "poisson"?',
    );
    expect(() => lookUp(things, 'sine', 'arrival process')).toThrow(
      /^arrival process: there is no arrival process "sine"\. Allowed: poisson, constant\.$/,
    );
  });
});

describe('options', () => {
  const schema = z
    .strictObject({
      rate: z.number().positive(),
      cap: z.number().max(8).default(4),
      kind: z.enum(['a', 'b']).optional(),
    })
    .refine(({ rate, cap }) => rate !== cap, 'rate must differ from cap');

  test('get their defaults', () => {
    expect(checked(schema, { rate: 1 }, 'x')).toEqual({ rate: 1, cap: 4 });
  });

  test('tell every problem at once: what was found and what is allowed', () => {
    expect(() => checked(schema, { rate: 0, cap: 9, kind: 'c', caps: 1 }, 'x')).toThrow(
      [
        'x.rate: 0 is too small. Allowed: more than 0.',
        'x.cap: 9 is too large. Allowed: at most 8.',
        'x.kind: "c" is not allowed here. Allowed: a, b.',
        'x.caps: unknown key "caps". Allowed: rate, cap, kind. Did you mean "cap"?',
      ].join('\n'),
    );
    expect(() => checked(schema, {}, 'x')).toThrow('x.rate: is missing. Allowed: a number.');
    expect(() => checked(schema, { rate: 'fast' }, 'x')).toThrow(
      'x.rate: "fast" is of the wrong type. Allowed: a number.',
    );
  });

  test('break a rule over several keys without being listed in full', () => {
    expect(() => checked(schema, { rate: 4 }, 'x')).toThrow(/^x: rate must differ from cap\.$/);
  });
});
