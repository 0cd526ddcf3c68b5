import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createController } from '../../../servers/controllers/registry.js';

const S = 1e9;
const MIN = 60 * S;

describe('prediction-cache', () => {
  const fill = (insertBit: number) => {
    const cache = createController('prediction-cache', { capacity: 3, insertBit });
    for (const key of ['a', 'b', 'c']) cache.step({ op: 'put', key });
    cache.step({ op: 'get', key: 'a' });
    return cache.step({ op: 'put', key: 'd' });
  };

  test('CLOCK with bit 0 spares a, which was read, and evicts b', () => {
    const entries = [
      ['a', 0],
      ['d', 0],
      ['c', 0],
    ];
    expect(fill(0)).toEqual({ evicted: 'b', entries });
  });

  test('CLOCK with bit 1 clears a, b and c and then evicts a', () => {
    const entries = [
      ['d', 1],
      ['b', 0],
      ['c', 0],
    ];
    expect(fill(1)).toEqual({ evicted: 'a', entries });
  });

  test('holds at most its capacity, and what was put last while it has any', () => {
    const operations = fc.array(
      fc.record({ op: fc.constantFrom('get', 'put'), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    );
    const given = fc.record({
      policy: fc.constantFrom('clock', 'lru'),
      capacity: fc.integer({ min: 0, max: 4 }),
      insertBit: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(given, operations, (options, steps) => {
        const cache = createController('prediction-cache', options);
        for (const step of steps) {
          const { entries } = cache.step(step) as { entries: string[][] };
          expect(entries.length).toBeLessThanOrEqual(options.capacity);
          if (step.op === 'put' && options.capacity > 0) expect(entries.map(([key]) => key)).toContain(step.key);
        }
      }),
      { seed: 20_260_202 },
    );
  });
});

type Model = 'a' | 'b' | 'c' | 'd' | 'e';

interface Placed {
  readonly model: Model;
  readonly instance: number;
  readonly evicted: readonly Model[];
}

interface MeshAnswer {
  readonly hit?: boolean;
  readonly instance: number | null;
  readonly added?: number | readonly Placed[];
  readonly evicted?: readonly Model[];
}

describe('modelmesh-lru', () => {
  const model = { size: 1, loadTime: '6s' };
  const models = { a: model, b: model, c: model };
  const mesh = (capacities: readonly number[], more: object = {}) =>
    createController('modelmesh-lru', { instances: capacities.map((capacity) => ({ capacity })), models, ...more });

  test('834 uses in 10 s are 5004 a minute: one copy, then two, then three where 278 a copy are too few', () => {
    const cluster = mesh([2, 2, 2, 2]);
    const ticks = [10, 20, 30].map((second) => {
      cluster.step({ op: 'invoke', at: (second - 5) * S, model: 'a', count: 834 });
      return (cluster.step({ op: 'tick', at: second * S }) as { copies: Record<string, number> }).copies;
    });
    expect(ticks).toEqual([
      { a: 2, b: 0, c: 0 },
      { a: 3, b: 0, c: 0 },
      { a: 3, b: 0, c: 0 },
    ]);
  });

  test('the least recently used gives way, but not in its first 30 s', () => {
    const cluster = mesh([2]);
    cluster.step({ op: 'invoke', at: 0, model: 'a' });
    cluster.step({ op: 'invoke', at: 1 * S, model: 'b' });
    cluster.step({ op: 'invoke', at: 2 * S, model: 'a' });
    const tooEarly = { hit: false, instance: null, reason: 'no-capacity' };
    expect(cluster.step({ op: 'invoke', at: 29 * S, model: 'c' })).toEqual(tooEarly);
    expect(cluster.step({ op: 'invoke', at: 31 * S, model: 'c' })).toEqual({ hit: false, instance: 0, evicted: ['b'] });
  });

  test('a lone copy that is used again after 7 to 40 minutes gets a sister, where there is room', () => {
    const cluster = mesh([1, 1]);
    cluster.step({ op: 'invoke', at: 0, model: 'a' });
    expect(cluster.step({ op: 'invoke', at: 6 * MIN, model: 'a' })).toEqual({ hit: true, instance: 0 });
    const second = { hit: true, instance: 0, added: 1, evicted: [] };
    expect(cluster.step({ op: 'invoke', at: 13 * MIN, model: 'a' })).toEqual(second);
    const alone = mesh([1]);
    alone.step({ op: 'invoke', at: 0, model: 'a' });
    expect(alone.step({ op: 'invoke', at: 7 * MIN, model: 'a' })).toEqual({ hit: true, instance: 0 });
  });

  test('a registered model takes free space only, and goes first when space is needed', () => {
    const cluster = mesh([1, 1], { minAge: 0 });
    expect(cluster.step({ op: 'register', at: 0, model: 'a' })).toEqual({ instance: 0 });
    expect(cluster.step({ op: 'invoke', at: 0, model: 'b' })).toEqual({ hit: false, instance: 1, evicted: [] });
    expect(cluster.step({ op: 'register', at: 0, model: 'c' })).toEqual({ instance: null });
    expect(cluster.step({ op: 'invoke', at: 1, model: 'c' })).toEqual({ hit: false, instance: 0, evicted: ['a'] });
  });

  test('no instance ever holds more than its capacity or a model twice, and hits are where the copies are', () => {
    const sizes: Readonly<Record<Model, number>> = { a: 1, b: 2, c: 3, d: 1, e: 2 };
    const name = fc.constantFrom(...(Object.keys(sizes) as Model[]));
    const steps = fc.array(
      fc.record({
        op: fc.constantFrom('invoke', 'invoke', 'register', 'tick'),
        model: name,
        after: fc.constantFrom(1, S, 30 * S, 8 * MIN),
      }),
    );
    const capacities = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(capacities, steps, (given, list) => {
        const cluster = createController('modelmesh-lru', {
          instances: given.map((capacity) => ({ capacity })),
          models: Object.fromEntries(Object.entries(sizes).map(([model, size]) => [model, { size, loadTime: '3s' }])),
          scaleUpRpm: 10,
        });
        const held = given.map(() => new Set<Model>());
        const place = (model: Model, instance: number, evicted: readonly Model[] = []) => {
          for (const victim of evicted) expect(held[instance]!.delete(victim)).toBe(true);
          expect(held[instance]!.has(model)).toBe(false);
          held[instance]!.add(model);
          const used = [...held[instance]!].reduce((sum, each) => sum + sizes[each], 0);
          expect(used).toBeLessThanOrEqual(given[instance]!);
        };
        let at = 0;
        for (const { after, ...step } of list) {
          at += after;
          const answer = cluster.step({ ...step, at }) as MeshAnswer;
          if (step.op === 'tick')
            for (const each of answer.added as Placed[]) place(each.model, each.instance, each.evicted);
          else if (answer.hit) {
            expect(held[answer.instance!]!.has(step.model)).toBe(true);
            if (answer.added !== undefined) place(step.model, answer.added as number, answer.evicted);
          } else if (answer.instance !== null) place(step.model, answer.instance, answer.evicted);
        }
      }),
      { seed: 20_260_205 },
    );
  });

  test('models that nobody knows are refused, with the names there are', () => {
    expect(() => mesh([1]).step({ op: 'invoke', at: 0, model: 'z' })).toThrow(
      '"z" is not allowed here. Allowed: a, b, c.',
    );
  });
});
