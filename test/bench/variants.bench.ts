import { join } from 'node:path';
import { denseModelPath, makeDense } from '../../optimizers/onnx/dense.js';
import { type OnnxModel, readModel, writeModel } from '../../optimizers/onnx/index.js';
import { inTemporaryFolder } from '../../optimizers/onnx/session.js';
import { parsePassOptions, passNamed } from '../../optimizers/passes/index.js';
import { canonicalDouble, FastRandom } from '../../results/stats/index.js';
import { createRuntime, type Runtime, type RuntimeTensor } from '../../servers/runtimes/index.js';
import { type BenchOptions, type Figure, figureOf, medianInterval } from './figure.js';

const WIDTH = 1024;
const ROWS_JUDGED = 64;

const VARIANTS = [
  { name: 'fp32' },
  { name: 'int8', pass: 'quantize-dynamic', options: {} },
  { name: 'structured 50 %', pass: 'prune-structured', options: { share: 0.5 } },
  { name: 'unstructured 90 %', pass: 'prune-unstructured', options: { sparsity: 0.9 } },
] as const;

/**
 * A weight-bound net (16 dense layers of 1024², 64 MiB, one row, one thread): what fewer bits, fewer units and more zeros gain,
 * model by model in turn. The net's weights are random: what pruning costs in answers says nothing here, what int8 does
 * is told as the outputs' relative error.
 */
export async function run({ rounds }: BenchOptions): Promise<readonly Figure[]> {
  const sizes = { layers: 16, width: WIDTH, seed: 1 };
  makeDense(sizes, denseModelPath(sizes));
  const original = readModel(denseModelPath(sizes));
  return inTemporaryFolder(async (folder) => {
    const runtimes: Runtime[] = [];
    for (const [i, variant] of VARIANTS.entries()) {
      const model = 'pass' in variant ? await rewritten(original, variant.pass, variant.options) : original;
      const path = join(folder, `${i}.onnx`);
      writeModel(model, path);
      runtimes.push(await createRuntime('onnx', path, {}));
    }
    try {
      return [...figuresOf(await timesOf(runtimes, rounds)), await errorOf(runtimes[0]!, runtimes[1]!)];
    } finally {
      for (const runtime of runtimes) await runtime.close();
    }
  });
}

async function rewritten(model: OnnxModel, name: string, options: Readonly<Record<string, unknown>>) {
  const samples = () => Promise.reject(new Error(`${name} needs no samples`));
  const pass = passNamed(name);
  const { models } = await pass.apply(model, parsePassOptions(pass, options), { place: 'bench', samples });
  return models[0]!.model;
}

/** Executions of one row that make a round's figure: their median. */
const TURNS = 40;

/** ms an execution, by model and round; the models take turns, a first round only warms up. */
async function timesOf(runtimes: readonly Runtime[], rounds: number): Promise<number[][]> {
  const medians = runtimes.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    const times = runtimes.map((): number[] => []);
    for (let turn = 0; turn < TURNS; turn++)
      for (let i = 0; i < runtimes.length; i++) {
        const which = (turn + i) % runtimes.length;
        const x = rows(1, turn);
        const started = process.hrtime.bigint();
        await runtimes[which]!.execute([x], 1);
        times[which]!.push(Number(process.hrtime.bigint() - started) / 1e6);
      }
    if (round >= 0) for (const [i, each] of times.entries()) medians[i]!.push(medianInterval(each).median);
  }
  return medians;
}

function figuresOf(times: readonly (readonly number[])[]): Figure[] {
  const [reference] = times as readonly [readonly number[]];
  return VARIANTS.flatMap(({ name }, i) => {
    if (i === 0) return [figureOf(`${name}, batch 1`, 'ms', reference)];
    const peer = { name: VARIANTS[0].name, values: reference };
    const gains = reference.map((time, round) => time / times[i]![round]!);
    return [
      figureOf(`${name}, batch 1`, 'ms', times[i]!, { peer }),
      figureOf(`${name}, as fast as fp32`, 'times', gains),
    ];
  });
}

/** ‖y − ŷ‖ / ‖y‖ of each row: the median over rows. */
async function errorOf(reference: Runtime, variant: Runtime): Promise<Figure> {
  const [wanted, found] = await Promise.all(
    [reference, variant].map(async (runtime) => {
      const [y] = await runtime.execute([rows(ROWS_JUDGED, 1000)], ROWS_JUDGED);
      return new Float32Array(y!.buffer);
    }),
  );
  const errors = Array.from({ length: ROWS_JUDGED }, (_, row) => {
    let [difference, size] = [0, 0];
    for (let at = row * WIDTH; at < (row + 1) * WIDTH; at++) {
      difference += (wanted![at]! - found![at]!) ** 2;
      size += wanted![at]! ** 2;
    }
    return Math.sqrt(difference / size);
  });
  return figureOf(`int8, relative error of the outputs, ${ROWS_JUDGED} rows`, '', errors);
}

/** Other numbers for another seed, so that no row is the one before. */
function rows(count: number, seed: number): RuntimeTensor {
  const random = new FastRandom(seed);
  const values = Float32Array.from({ length: count * WIDTH }, () => 2 * canonicalDouble(random) - 1);
  return { name: 'x', datatype: 'FP32', shape: [count, WIDTH], buffer: values.buffer };
}
