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

  test('are named in the words of a file, wherever they stand', () => {
    const nested = z.strictObject({
      size: z.int().optional(),
      share: z.number().optional(),
      place: z.union([z.string(), z.strictObject({ folder: z.string(), count: z.int().optional() })]).optional(),
      steps: z.array(z.strictObject({ pause: z.number() })).optional(),
      kind: z.literal(1).optional(),
    });
    const told = (value: unknown) => () => checked(nested, value, 'x');
    expect(told({ size: 1.5 })).toThrow('x.size: 1.5 is of the wrong type. Allowed: a whole number.');
    expect(told({ share: Number.POSITIVE_INFINITY })).toThrow('x.share: Infinity is of the wrong type.');
    expect(told({ steps: 5 })).toThrow('x.steps: 5 is of the wrong type. Allowed: a list.');
    expect(told({ place: 5 })).toThrow('x.place: 5 does not do. Allowed: a text or a map of keys.');
    const needed = z.strictObject({ place: z.union([z.string(), z.strictObject({})]) });
    expect(() => checked(needed, {}, 'x')).toThrow('x.place: is missing. Allowed: a text or a map of keys.');
    expect(told({ place: { foldr: 'a' } })).toThrow(
      [
        'x.place.folder: is missing. Allowed: a text.',
        'x.place.foldr: unknown key "foldr". Allowed: folder, count. Did you mean "folder"?',
      ].join('\n'),
    );
    expect(told({ steps: [{ pause: 1, paus: 2 }] })).toThrow(
      'x.steps.0.paus: unknown key "paus". Allowed: pause. Did you mean "pause"?',
    );
  });
});
