import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, UserError } from '../../results/errors.js';
import { writeFileAtomic, writeJsonAtomic } from '../../results/files.js';
import { Mt19937, permutation, type RandomSource } from '../../results/stats/index.js';
import { encodeModel } from '../onnx/write.js';
import { topOne } from './evaluate.js';
import { DEBIAN_FOLDER, type LabelledImages, readFashionMnist } from './fashion-mnist.js';
import { Mlp } from './mlp.js';
import { toOnnx } from './to-onnx.js';

const WIDTHS = [784, 1024, 1024, 10] as const;
const BATCH = 120;
const PIXELS = 784;
const SIDE = 28;
const SCRIPT = 'optimizers/train/fashion-mlp.ts';

/**
 * Trains the embedded model and writes `fashion-mlp.onnx` and `provenance.json` (see README.md). Run it with
 * `npm run train -- [--data FOLDER] [--out FOLDER] [--seed N] [--epochs N]`; the same seed gives the same bytes.
 */
async function main(): Promise<void> {
  const { data, out, seed, epochs } = options();
  const training = readFashionMnist(data, 'train');
  const test = readFashionMnist(data, 't10k');
  const net = train(training, BigInt(seed), epochs);
  const file = encodeModel(toOnnx('fashion-mlp', net.layers, WIDTHS, { seed, epochs: String(epochs), script: SCRIPT }));
  const path = join(out, 'fashion-mlp.onnx');
  writeFileAtomic(path, file, 'the trained model');
  const accuracy = await topOne(path, test);
  console.log(`top-1 on the ${accuracy.total} test images: ${accuracy.correct}`);
  const provenance = {
    name: 'fashion-mlp',
    sha256: createHash('sha256').update(file).digest('hex'),
    bytes: file.length,
    script: SCRIPT,
    seed,
    epochs,
    optimizer: `Adam, rate ${PEAK_RATE} with a cosine to 0, batches of ${BATCH}, random horizontal flips`,
    data: 'Fashion-MNIST, 60,000 training images (Debian package dataset-fashion-mnist), pixels / 255',
    licence: 'model: Apache-2.0, as this repository; data: MIT, copyright Zalando SE',
    accuracy: { metric: 'top-1', ...accuracy },
    trainedWith: `node ${process.version}`,
  };
  writeJsonAtomic(join(out, 'provenance.json'), provenance, "the model's provenance");
}

const PEAK_RATE = 1e-3;

function train(images: LabelledImages, seed: bigint, epochs: number): Mlp {
  const random = new Mt19937(seed);
  const net = new Mlp(WIDTHS, BATCH, random);
  const labels = new Uint8Array(BATCH);
  const stepsPerEpoch = Math.floor(images.count / BATCH);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = permutation(random, images.count);
    const started = performance.now();
    let loss = 0;
    for (let step = 0; step < stepsPerEpoch; step++) {
      fillBatch(net.input, labels, images, order.subarray(step * BATCH, (step + 1) * BATCH), random);
      const done = (epoch * stepsPerEpoch + step) / (epochs * stepsPerEpoch);
      loss += net.train(labels, (PEAK_RATE / 2) * (1 + Math.cos(Math.PI * done)));
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`epoch ${epoch + 1} of ${epochs}: cross entropy ${(loss / stepsPerEpoch).toFixed(4)}, ${seconds} s`);
  }
  return net;
}

/** Pixels / 255; every second image on average is mirrored (a shoe may point either way). */
function fillBatch(
  input: Float32Array,
  labels: Uint8Array,
  images: LabelledImages,
  chosen: Uint32Array,
  random: RandomSource,
): void {
  for (const [row, index] of chosen.entries()) {
    labels[row] = images.labels[index]!;
    const mirrored = random.next32() >= 2 ** 31;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const column = pixel % SIDE;
      const from = mirrored ? pixel - column + (SIDE - 1 - column) : pixel;
      input[row * PIXELS + pixel] = images.pixels[index * PIXELS + from]! / 255;
    }
  }
}

function options(): { data: string; out: string; seed: string; epochs: number } {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: DEBIAN_FOLDER },
      out: { type: 'string', default: 'servers/models/fashion-mlp' },
      seed: { type: 'string', default: '20170825' },
      epochs: { type: 'string', default: '12' },
    },
  });
  const epochs = Number(values.epochs);
  if (!/^\d+$/.test(values.seed))
    throw new UserError({ place: '--seed', found: values.seed, allowed: 'a whole number' });
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new UserError({ place: '--epochs', found: values.epochs, allowed: 'a whole number from 1' });
  return { data: values.data, out: values.out, seed: values.seed, epochs };
}

await main().catch((error: unknown) => {
  console.error(error instanceof UserError ? error.message : ((error as Error).stack ?? messageOf(error)));
  process.exitCode = 2;
});
