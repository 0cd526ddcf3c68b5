import { expect, test } from 'vitest';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import type { Execute } from '../../../servers/strategies/contract.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { Balancer, type BalancerOptions } from '../../../servers/strategies/support/balancer.js';
import { MS, play } from './stage.js';

const SECOND = 1_000_000_000;

function balancer(algorithm: BalancerOptions['algorithm'], weights: readonly number[], maxFails = 1) {
  return new Balancer({
    algorithm,
    upstreams: weights.map((weight) => ({ weight })),
    maxFails,
    failTimeout: 10 * SECOND,
  });
}

function picks(from: Balancer, count: number): string {
  return Array.from({ length: count }, () => from.pick(0)).join(' ');
}

test('smooth weights 5, 1, 1 spread the heavy one: 0 0 1 0 2 0 0', () => {
  expect(picks(balancer('smooth-weighted', [5, 1, 1]), 7)).toBe('0 0 1 0 2 0 0');
});

test('an upstream that failed is down for its time, the last nanosecond included, then tried again', () => {
  const two = balancer('round-robin', [1, 1]);
  two.pick(0);
  two.done(0, false, SECOND);
  expect([two.pick(2 * SECOND), two.pick(11 * SECOND), two.pick(11 * SECOND + 1)]).toEqual([1, 1, 0]);
});

test('failures far apart do not add up, and a success forgets them', () => {
  const one = balancer('round-robin', [1], 2);
  const fail = (at: number) => {
    one.pick(at);
    one.done(0, false, at);
  };
  fail(0);
  fail(11 * SECOND);
  expect(one.pick(11 * SECOND)).toBe(0);
  one.done(0, true, 12 * SECOND);
  fail(13 * SECOND);
  expect(one.pick(13 * SECOND)).toBe(0);
  fail(14 * SECOND);
  expect(one.pick(14 * SECOND)).toBeUndefined();
});

test('with maxFails 0 no upstream is ever down', () => {
  const one = balancer('round-robin', [1], 0);
  one.done(0, false, 0);
  expect(one.pick(0)).toBe(0);
});

test('least-conn weighs connections, and smooth weights break its ties', () => {
  const three = balancer('least-conn', [2, 1, 1]);
  expect(picks(three, 4)).toBe('0 1 2 0');
  expect(three.connections()).toEqual([2, 1, 1]);
});

test('addresses of one /24 have one upstream; where that is down they get another', () => {
  const three = balancer('ip-hash', [1, 1, 1]);
  const home = three.pick(0, { client: '10.0.0.1' })!;
  expect(three.pick(0, { client: '10.0.0.200' })).toBe(home);
  three.done(home, false, 0);
  expect(three.pick(0, { client: '10.0.0.1' })).not.toBe(home);
});

test('what is no address is hashed all the same, and what always hashes to an upstream that is down gets another', () => {
  const two = balancer('ip-hash', [1, 1]);
  expect(two.pick(0, { client: 'tenant-7' })).toBe(two.pick(0, { client: 'tenant-7' }));
  // Without a client the hash stays 89, which is odd: upstream 1, 21 times.
  expect(two.pick(0)).toBe(1);
  two.done(1, false, 0);
  expect(two.pick(0)).toBe(0);
});

test('of two upstreams drawn the less busy wins, the first on a tie, and one alone needs no draw', () => {
  const three = balancer('random-two', [1, 1, 1]);
  const draws = () => [0.5, 0.1];
  expect([three.pick(0, { draws }), three.pick(0, { draws }), three.pick(0, { draws })]).toEqual([1, 0, 1]);
  expect(balancer('random-two', [1]).pick(0)).toBe(0);
});

test('round robin sends every third request to the slow one; least connections learn', () => {
  const instances = [{}, {}, { speed: 4 }];
  const arrivals = [0, 5, 10, 15, 20, 25];
  const turns = (algorithm: string) =>
    play({ strategy: 'load-balancer', options: { algorithm }, instances, costMs: 8 }, arrivals).map((line) =>
      line.at(-1),
    );
  expect(turns('round-robin').filter((instance) => instance === '2')).toHaveLength(2);
  expect(turns('least-conn').filter((instance) => instance === '2')).toHaveLength(1);
});

test('without any upstream left requests are refused, and a cancelled one leaves no connection behind', () => {
  const instances = instanceList(2);
  const context = strategyContext(instances, costModel(instances, { cost: [[1, MS]] }));
  const strategy = createStrategy('load-balancer', { algorithm: 'least-conn' }, context);
  const requests = ['a', 'b', 'c', 'd'].map((id) => ({ id, at: 0, rows: 1 }));
  for (const request of requests) strategy.offer(request, 0);
  const running = [strategy.poll(0), strategy.poll(0)] as Execute[];
  expect([strategy.cancel(requests[0]!, 0), strategy.cancel(requests[2]!, 0)]).toEqual([false, true]);
  expect(strategy.waiting()).toBe(1);
  // 0 has a and d; 1 had b and c: the next goes to 1.
  strategy.offer({ id: 'e', at: 0, rows: 1 }, 0);
  strategy.finished(running[1]!, MS, true);
  expect(strategy.poll(MS)).toMatchObject({ instance: 1, requests: [{ id: 'e' }] });
  strategy.finished(running[0]!, 2 * MS, false);
  strategy.finished(running[1]!, 2 * MS, false);
  expect(strategy.offer({ id: 'f', at: 2 * MS, rows: 1 }, 2 * MS)).toBe('no-upstream');
});

test('random-two draws from the id where the request brings no numbers: the same run twice is the same', () => {
  const stage = { strategy: 'load-balancer', options: { algorithm: 'random-two' }, instances: 4 };
  const lines = play(stage, [0, 0, 0, 0, 0, 0]);
  expect(play(stage, [0, 0, 0, 0, 0, 0])).toEqual(lines);
  expect(new Set(lines.map((line) => line.at(-1))).size).toBeGreaterThan(2);
});

test('more upstreams than instances are refused', () => {
  expect(() => play({ strategy: 'load-balancer', options: { upstreams: [{}, {}] } }, [])).toThrow(
    /2 upstreams for 1 instances/,
  );
});
