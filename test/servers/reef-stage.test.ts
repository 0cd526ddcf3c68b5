import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writeModel } from '../../optimizers/onnx/index.js';
import { UserError } from '../../results/errors.js';
import type { InferOutcome, InferRequest } from '../../servers/protocol/index.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import type { ServerSpec } from '../../servers/spec.js';
import { workFolder } from '../e2e/folders.js';
import { denseNet } from '../fixtures/dense-nets.js';
import { splitModel } from '../fixtures/split-model.js';

const folder = workFolder('reef');
const WIDTH = 128;
const STAGES = 8;
const WHOLE = join(folder, 'dense.onnx');
writeModel(
  denseNet({
    inputs: WIDTH,
    layers: Array.from({ length: 16 }, () => ({ width: WIDTH, form: 'gemm', activation: 'Relu' }) as const),
    seed: 5,
    irVersion: 8,
    shared: false,
  }),
  WHOLE,
);
const { plan: PLAN } = await splitModel(
  WHOLE,
  'split-pipeline',
  { stages: STAGES, balance: 'flops' },
  folder,
  'dense-8',
);
const PROFILE = [
  [1, 1e6],
  [1000, 50e6],
] as const;

let whole: RunningServer;
beforeAll(async () => {
  whole = await startServer({ name: 'w', model: { path: WHOLE }, strategy: { name: 'serial' }, frontends: {} });
});
afterAll(() => whole.close());

const open: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('reef-stage, served', () => {
  test.each([{ mode: 'none' }, { mode: 'wait', depth: 3 }, { mode: 'stage' }])(
    '$mode: both classes get bit for bit what the whole model gives',
    async (options) => {
      const server = await reef(options);
      const bestEffort = [ask(server, 0, 100, 'be'), ask(server, 1, 100, 'be')];
      const realTime = [];
      for (let k = 2; k < 6; k++) realTime.push(await ask(server, k, 1, 'rt'));
      const answers = [...(await Promise.all(bestEffort)), ...realTime];
      for (const [k, answer] of answers.entries())
        expect(outputsOf(answer), `request ${k}`).toEqual(outputsOf(await ask(whole, k, k < 2 ? 100 : 1)));
      const [statistics] = server.service.modelStatistics();
      expect(statistics).toMatchObject({ inference_count: 204, execution_count: 6 });
    },
  );

  const kills = process.env.SERVEMARK_SLOW === '1' ? 100 : 2;
  test(`kill: ${kills} kills, nothing is lost, and every answer is bit for bit the whole model’s`, async () => {
    const server = await reef({ mode: 'kill' }, { isolation: 'process' });
    const answers: Promise<InferOutcome>[] = [];
    const killed = () =>
      server.service.modelStatistics()[0]!.servemark_parts?.find(({ name }) => name === 'kills')?.total ?? 0;
    for (let round = 0; killed() < kills && round < 5 * kills; round++) {
      const long = ask(server, 2 * round, 2000, 'be');
      // Well into it, each time elsewhere.
      await new Promise((resolve) => setTimeout(resolve, 10 + (round % 7) * 4));
      const short = ask(server, 2 * round + 1, 1, 'rt');
      answers.push(long, short);
      await Promise.all([long, short]);
    }
    expect(killed()).toBeGreaterThanOrEqual(kills);
    for (const [k, answer] of (await Promise.all(answers)).entries())
      expect(outputsOf(answer), `request ${k}`).toEqual(outputsOf(await ask(whole, k, k % 2 === 0 ? 2000 : 1)));
  }, 600_000);
});

describe('reef-stage refuses', () => {
  test('to kill threads, and a model that is not cut, or cut otherwise', async () => {
    await expect(reef({ mode: 'kill' })).rejects.toThrow(/threads.*isolation: process/s);
    await expect(reef({}, { model: { path: WHOLE } })).rejects.toThrow(/the model is not cut/);
    await expect(reef({ stages: 4 })).rejects.toThrow(/cut into 8.*stages: 8/s);
    await expect(reef({ stages: 4 })).rejects.toThrow(UserError);
  });
});

function reef(options: Readonly<Record<string, unknown>>, more: Partial<ServerSpec> = {}): Promise<RunningServer> {
  return serve({
    strategy: { name: 'reef-stage', options: { stages: STAGES, ...options } },
    profile: PROFILE,
    ...more,
  });
}

async function serve(more: Partial<ServerSpec>): Promise<RunningServer> {
  const model = { path: PLAN, runtime: 'staged' };
  const server = await startServer({ name: 's', model, strategy: { name: 'serial' }, frontends: {}, ...more });
  open.push(server);
  return server;
}

/** Rows of values that `k` decides. */
function ask(server: RunningServer, k: number, rows: number, scheduling?: 'rt' | 'be'): Promise<InferOutcome> {
  const values = Float32Array.from({ length: rows * WIDTH }, (_, i) => Math.sin(k * 7919 + i));
  const [input] = server.metadata.inputs;
  const request: InferRequest = {
    modelName: server.metadata.name,
    id: String(k),
    ...(scheduling && { parameters: { class: scheduling } }),
    inputs: [{ name: input!.name, datatype: 'FP32', shape: [rows, WIDTH], data: new Uint8Array(values.buffer) }],
  };
  return new Promise((done) => server.service.infer(request, 0, done));
}

/** A digest: comparing a million numbers one by one takes the test runner a second. */
function outputsOf(outcome: InferOutcome): readonly string[] {
  if (!outcome.ok) throw outcome.error;
  return outcome.response.outputs.map(({ data }) => createHash('sha256').update(data).digest('hex'));
}
