import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Profiles } from '../../scenarios/profiling.js';
import { pipelineSchedule } from '../../servers/controllers/support/pipeline.js';
import { workFolder } from '../e2e/folders.js';
import { FASHION_MLP } from '../fixtures/onnx-models.js';

const folder = workFolder('virtual');

/** c(b) = b ms, of the whole model. */
const profile = join(folder, 'whole.json');
writeFileSync(
  profile,
  JSON.stringify([
    [1, 1e6],
    [64, 64e6],
  ]),
);

describe('a split model in virtual time', () => {
  test.each([1, 2, 4, 8])(
    'two equal stages and %i micro-batches: 16 rows take (m + p − 1) / (m p) of 16 ms',
    async (m) => {
      const table = await virtual(pipeline('two', [0.5, 0.5]), { microBatches: m });
      expect(table.get(16)).toBe((16e6 * (m + 2 - 1)) / (m * 2));
    },
  );

  test('four equal stages, four micro-batches: 7/16 of the whole', async () => {
    const table = await virtual(pipeline('four', [0.25, 0.25, 0.25, 0.25]), { microBatches: 4 });
    expect(table.get(16)).toBe((16e6 * 7) / 16);
    // One row can't be cut: the stages add up.
    expect(table.get(1)).toBe(1e6);
  });

  test('a slow stage with two workers keeps up with a fast one', () => {
    const stages = [[[1, 10]], [[1, 20]]] as const;
    const form = { rows: 4, stages, transferNs: 0 };
    // 10 + 4 × 20; with two workers 10, 20 | 30, 40, 50, 60.
    expect(pipelineSchedule(form, 4).makespanNs).toBe(90);
    expect(pipelineSchedule({ ...form, workers: [1, 2] }, 4).makespanNs).toBe(60);
  });

  test('shards run side by side, what is whole behind them', async () => {
    const path = plan('tensor', 'shards', [
      { kind: 'sharded', models: ['a', 'b'], reduce: 'sum', axis: -1, bytesPerRow: 4, cost: 0.8, ...NAMES },
      { kind: 'whole', model: 'a', cost: 0.2, ...NAMES },
    ]);
    // 0.8 / 2 + 0.2
    expect((await virtual(path, {})).get(1)).toBe(0.6e6);
  });
});

const NAMES = { inputs: ['x'], outputs: ['y'] };

function pipeline(name: string, costs: readonly number[]): string {
  return plan(
    'pipeline',
    name,
    costs.map((cost) => ({ kind: 'whole', model: 'a', cost, ...NAMES })),
  );
}

function plan(kind: string, name: string, steps: readonly object[]): string {
  const path = join(folder, `${name}.plan.json`);
  const files = { a: FASHION_MLP, b: FASHION_MLP };
  writeFileSync(path, JSON.stringify({ schema: 1, kind, ...NAMES, steps, files }));
  return path;
}

async function virtual(path: string, options: Record<string, unknown>): Promise<Map<number, number>> {
  const profiles = new Profiles(folder, new AbortController().signal, () => {}, profile);
  return new Map(await profiles.virtual({ path, options }));
}
