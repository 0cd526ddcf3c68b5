import { expect, test } from 'vitest';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import type { Execute, Strategy, StrategyRequest } from '../../../servers/strategies/contract.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { Limiter } from '../../../servers/strategies/support/limiter.js';

/** Models of one instance each behind one limiter; `woken` collects who is told to look again. */
function server(models: Readonly<Record<string, { priority?: number; needs?: number; of?: number }>>) {
  const limiter = new Limiter();
  const woken: string[] = [];
  const strategies: Record<string, Strategy> = {};
  for (const [name, { priority = 1, needs = 1, of = 1 }] of Object.entries(models)) {
    const place = limiter.join(name);
    place.wake = () => woken.push(name);
    const infos = instanceList(1);
    const context = { ...strategyContext(infos, costModel(infos, { cost: [[1, 1]] })), limiter: place };
    const instances = [{ priority, resources: { R: needs } }];
    const rateLimiter = { resources: { R: of }, instances, serverWide: true };
    strategies[name] = createStrategy('instance-group', { rateLimiter }, context);
  }
  const execution = (name: string) => strategies[name]!.poll(0) as Execute | undefined;
  const offer = (name: string, count: number) =>
    Array.from({ length: count }, (_, i): StrategyRequest => {
      const request = { id: `${name}${i}`, at: 0, rows: 1 };
      strategies[name]!.offer(request, 0);
      return request;
    });
  return { strategies, execution, offer, woken };
}

test('a resource that another model holds is waited for, and its release wakes who waits', () => {
  const { execution, offer, strategies, woken } = server({ a: {}, b: {} });
  offer('a', 1);
  offer('b', 1);
  const first = execution('a')!;
  expect(execution('b')).toBeUndefined();
  woken.length = 0;
  strategies.a!.finished(first, 1);
  expect(woken).toEqual(['b']);
  expect(execution('b')!.requests[0]!.id).toBe('b0');
});

test('there is as much as the model states that states most', () => {
  const { execution, offer } = server({ a: { of: 1 }, b: { of: 2 } });
  offer('a', 1);
  offer('b', 1);
  expect([execution('a') === undefined, execution('b') === undefined]).toEqual([false, false]);
});

test('whose turn it is lets no other pass, until its request goes away', () => {
  // a runs and holds the one R. b is next (0 executions) and lacks it; c needs nothing and is behind b by name.
  const { execution, offer, strategies } = server({ a: {}, b: {}, c: { needs: 0 } });
  offer('a', 1);
  execution('a');
  const [waits] = offer('b', 1);
  offer('c', 1);
  expect(execution('c')).toBeUndefined();
  strategies.b!.cancel(waits!, 0);
  expect(execution('c')).toBeDefined();
});

test('with priorities 1 and 2 the turns are a b a a b a', () => {
  const { execution, offer, strategies } = server({ a: {}, b: { priority: 2 } });
  offer('a', 4);
  offer('b', 2);
  let order = '';
  for (let i = 0; i < 6; i++)
    for (const name of ['b', 'a']) {
      const next = execution(name);
      if (next === undefined) continue;
      order += name;
      strategies[name]!.finished(next, i);
      break;
    }
  expect(order).toBe('abaaba');
});
