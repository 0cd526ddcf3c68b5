import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRun } from '../../results/store.js';
import { servemark } from './cli.js';
import { workFolder } from './folders.js';

const folder = workFolder('replicas');

/** Runs a scenario of these systems for a second each; answers the summaries by system. */
async function run(name: string, systems: string, load = 'rate: 40/s, duration: 1.5s', more = '') {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `schema: 1
question: What do replicas do?
model: { runtime: synthetic, cost: [[1, 5ms]] }
systems:
${systems}
loads: { steady: { type: open, arrivals: constant, ${load} } }
targets: { p99Latency: 500ms }
warmUp: 100ms
monitors: [proc]
${more}
`,
  );
  const out = join(folder, name);
  const { code, stdout, stderr } = await servemark(['run', file, '--out', out, '--quiet']);
  expect(code, stdout + stderr).toBe(0);
  return new Map(readRun(join(out, readdirSync(out)[0]!)).outcomes.map((outcome) => [systemOf(outcome), outcome]));
}

const systemOf = (outcome: ReturnType<typeof readRun>['outcomes'][number]) =>
  outcome.state === 'completed' ? outcome.summary.trial.system : outcome.trial.system;

test('two replicas share the load, and a canary that always fails is taken back', async () => {
  const outcomes = await run(
    'pair',
    `  pair: { strategy: serial, replicas: 2 }
  rollout:
    strategy: serial
    gateway:
      route: { name: canary, ramp: [5000], minSamples: 5, to: { strategy: serial, model: { runtime: synthetic, cost: [[1, 5ms]], errors: { rate: 1 } } } }`,
  );
  const pair = outcomes.get('pair');
  if (pair?.state !== 'completed') throw new Error(JSON.stringify(pair));
  expect(pair.summary.counts).toMatchObject({ offered: 60, ok: 60 });
  const attempts = pair.summary.gateway!.counts!.pools[0]!.replicas.map((each) => each.attempts);
  expect(Math.abs(attempts[0]! - attempts[1]!)).toBeLessThanOrEqual(2);
  expect(pair.summary.gateway!.replicas).toEqual({ first: 2, most: 2, last: 2 });
  const rollout = outcomes.get('rollout');
  if (rollout?.state !== 'completed') throw new Error(JSON.stringify(rollout));
  expect(rollout.summary.gateway!.counts!.route.state).toBe('rolled-back');
  expect(rollout.summary.counts.failed).toBeLessThanOrEqual(5);
}, 60_000);

test('an autoscaler starts and drains real replicas, and no request is lost on the way', async () => {
  const outcomes = await run(
    'scaled',
    `  scaled:
    strategy: serial
    gateway: { algorithm: least-conn }
    autoscaler: { name: predictive, interval: 300ms, ratePerReplica: 60, maxReplicas: 3, scaleDownDelay: 1s, horizon: 1s }`,
    'rate: 100/s, duration: 4s',
  );
  const scaled = outcomes.get('scaled');
  if (scaled?.state !== 'completed') throw new Error(JSON.stringify(scaled));
  const { gateway, counts } = scaled.summary;
  expect(counts.ok).toBe(counts.offered);
  // 100/s over 60/s × 0.7.
  expect(gateway!.replicas.most).toBe(3);
  expect(gateway!.replicaSeconds).toBeGreaterThan(4);
}, 60_000);

test('gRPC passes the gateway: calls of one connection are shared by both replicas', async () => {
  const outcomes = await run('grpc', '  pair: { strategy: serial, replicas: 2 }', undefined, 'transports: [grpc]');
  const pair = outcomes.get('pair');
  if (pair?.state !== 'completed') throw new Error(JSON.stringify(pair));
  expect(pair.summary.counts).toMatchObject({ offered: 60, ok: 60 });
  const attempts = pair.summary.gateway!.counts!.pools[0]!.replicas.map((each) => each.attempts);
  expect(Math.abs(attempts[0]! - attempts[1]!)).toBeLessThanOrEqual(2);
}, 60_000);
