import fc from 'fast-check';
import type { StrategyRequest } from '../../../servers/strategies/contract.js';

/** Up to forty requests in the course of some tens of milliseconds, many at the same time, with all that a strategy may look at. */
export function requestLists(): fc.Arbitrary<StrategyRequest[]> {
  const ms = (max: number) => fc.integer({ min: 1, max }).map((n) => n * 1_000_000);
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const request = fc.record({
    gap: fc.oneof(fc.constant(0), ms(3), fc.integer({ min: 0, max: 3_000_000 })),
    rows: fc.integer({ min: 1, max: 3 }),
    model: maybe(fc.constantFrom('m', 'n')),
    shapeKey: maybe(fc.constantFrom('a', 'b')),
    priority: maybe(fc.integer({ min: 0, max: 3 })),
    timeoutNs: maybe(ms(6)),
    patience: maybe(ms(20)),
    key: maybe(fc.constantFrom('k0', 'k1', 'k2')),
    client: fc.constantFrom('10.0.0.1', '10.7.0.2', '192.168.3.4'),
    class: maybe(fc.constantFrom('rt' as const, 'be' as const)),
    start: fc.boolean(),
    end: fc.boolean(),
    draws: fc.array(
      fc.integer({ min: 0, max: 999 }).map((n) => n / 1000),
      { minLength: 2, maxLength: 2 },
    ),
  });
  return fc.array(request, { minLength: 1, maxLength: 40 }).map((list) => {
    let at = 0;
    return list.map(({ gap, patience, ...rest }, i) => {
      at += gap;
      return { id: String(i), at, deadlineNs: patience === undefined ? undefined : at + patience, ...rest };
    });
  });
}
