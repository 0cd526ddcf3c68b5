import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { printed } from '../../clients/samples/printed.js';
import { chained, createTransport } from '../../clients/transports/index.js';
import { canonicalDouble, FastRandom } from '../../results/stats/index.js';
import { packagedModels } from '../../servers/models/registry.js';
import { textCrops } from '../../servers/processing/text-crops.js';
import type { InferOutcome, Tensor } from '../../servers/protocol/index.js';
import { joinBytes, splitBytes } from '../../servers/protocol/index.js';
import { createRuntime } from '../../servers/runtimes/index.js';
import { startServer } from '../../servers/server.js';
import { servemark } from './cli.js';

/**
 * The models of the zoo, fetched through npm and pip into the user's cache: SERVEMARK_ZOO=1 tries them all, a list of names
 * some. They need a network the first time.
 */
const WANTED = process.env.SERVEMARK_ZOO ?? '';
const isWanted = (name: string) => WANTED === '1' || WANTED.split(',').includes(name);
if (WANTED !== '1')
  console.log(`skipped: models of the zoo other than ${WANTED || 'none'} (SERVEMARK_ZOO=1 fetches and tries them all)`);

const folder = mkdtempSync(join(tmpdir(), 'servemark-zoo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (name: string, rows: readonly (string | Uint8Array)[]): Tensor => ({
  name,
  datatype: 'BYTES',
  shape: [rows.length],
  data: joinBytes(rows.map((row) => Buffer.from(row))),
});
const textsOf = (tensor: Tensor | undefined) => splitBytes(tensor!.data).map((each) => Buffer.from(each).toString());
const floatsOf = (tensor: Tensor | undefined) => [...new Float32Array(tensor!.data.slice().buffer)];

/** Fetches the model, serves it, and answers with what it says to each request. */
async function asked(
  model: string,
  requests: readonly { inputs: readonly Tensor[]; parameters?: Record<string, number | boolean> }[],
): Promise<Map<string, Tensor>[]> {
  const pulled = await servemark(['models', 'pull', model, '--accept-licence']);
  expect(pulled.stderr + pulled.stdout).toMatch(new RegExp(`${model} is here already|\\.onnx`));
  const server = await startServer({ name: 'zoo', model: { zoo: model }, strategy: { name: 'serial' }, frontends: {} });
  try {
    const answers: Map<string, Tensor>[] = [];
    for (const request of requests) {
      const outcome = await new Promise<InferOutcome>((resolve) => {
        server.service.infer({ modelName: model, ...request }, 0, resolve);
      });
      if (!outcome.ok) throw outcome.error;
      answers.push(new Map(outcome.response.outputs.map((each) => [each.name, each])));
    }
    return answers;
  } finally {
    await server.close();
  }
}

/** A test where the model is wanted; nothing where not, which was said above. */
function zooTest(name: string, title: string, body: () => Promise<void>): void {
  if (isWanted(name)) test(`${name}: ${title}`, body, 300_000);
}

describe('the zoo', () => {
  test('has an entry that says how it is fetched where it is not here', async () => {
    const env = { SERVEMARK_CACHE: folder };
    const { code, stderr } = await servemark(['models', 'inspect', 'magika'], { env });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/not fetched yet\. servemark models pull magika.*Apache-2\.0/s),
    ]);
    const refused = await servemark(['models', 'pull', 'magika'], { env });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/licence was not accepted.*--accept-licence/s),
    ]);
  });

  zooTest('magika', 'knows files of this repository', async () => {
    const files = ['package.json', 'servers/server.ts', 'README.md', '.ci/run'];
    const [answer] = await asked('magika', [
      {
        inputs: [
          bytes(
            'content',
            files.map((file) => readFileSync(file)),
          ),
        ],
      },
    ]);
    expect(textsOf(answer!.get('label'))).toEqual(['json', 'typescript', 'markdown', 'shell']);
  });

  for (const [name, near, far] of [
    ['minilm-l3', 0.5404, 0.0341],
    ['minilm-l6', 0.6888, -0.017],
  ] as const)
    zooTest(name, 'puts a paraphrase nearer than another subject', async () => {
      const sentences = ['A man is eating food.', 'Someone is having a meal.', 'The stock market fell today.'];
      const [answer] = await asked(name, [{ inputs: [bytes('text', sentences)] }]);
      const all = floatsOf(answer!.get('embedding'));
      const dot = (a: number, b: number) => {
        let sum = 0;
        for (let i = 0; i < 384; i++) sum += all[a * 384 + i]! * all[b * 384 + i]!;
        return sum;
      };
      expect(dot(0, 0)).toBeCloseTo(1, 5);
      expect(dot(0, 1)).toBeCloseTo(near, 3);
      expect(dot(0, 2)).toBeCloseTo(far, 3);
    });

  zooTest('efficientnet-lite0', 'names 18 of 20 photos of ImageNet', async () => {
    execFileSync('pip', ['download', '-q', '--no-deps', '--only-binary', ':all:', '-d', folder, 'foolbox==3.3.4']);
    execFileSync('python3', ['-m', 'zipfile', '-e', join(folder, 'foolbox-3.3.4-py3-none-any.whl'), folder]);
    const data = join(folder, 'foolbox', 'data');
    const names = readdirSync(data).filter((name) => /^imagenet_\d+_\d+\.jpg$/.test(name));
    const requests = names.map((name) => ({ inputs: [bytes('image', [readFileSync(join(data, name))])] }));
    const answers = await asked('efficientnet-lite0', requests);
    const best = answers.map((answer) => new Int32Array(answer.get('class')!.data.slice().buffer)[0]);
    expect(best.filter((index, i) => names[i]!.endsWith(`_${index}.jpg`))).toHaveLength(18);
  });

  for (const [name, side] of [
    ['nsfw-mobilenet', 224],
    ['nsfw-inception', 299],
  ] as const)
    zooTest(name, 'the ONNX net answers as TensorFlow.js does on the package’s own weights', async () => {
      const pulled = await servemark(['models', 'pull', name, '--accept-licence']);
      expect(pulled.code, pulled.stderr).toBe(0);
      const entry = packagedModels.find((each) => each.name === name)!;
      const { path: onnx } = await entry.resolve();
      const path = join(dirname(onnx!), 'model.json');
      expect(pulled.stdout).toContain(path);
      const [ours, theirs] = [
        await createRuntime('onnx', onnx!, {}),
        await createRuntime('tfjs', path, { backend: 'wasm' }),
      ];
      for (const [rows, seed] of [
        [1, 1n],
        [3, 2n],
        [3, 3n],
      ] as const) {
        const random = new FastRandom(seed);
        // Each image is noise of another contrast about another colour, so that answers differ from row to row.
        const values = new Float32Array(rows * side * side * 3);
        for (let row = 0; row < rows; row++) {
          const [colour, contrast] = [[0, 1, 2].map(() => canonicalDouble(random)), canonicalDouble(random)];
          const from = row * side * side * 3;
          for (let i = 0; i < side * side * 3; i++)
            values[from + i] = (1 - contrast) * colour[i % 3]! + contrast * canonicalDouble(random);
        }
        const input = () => ({
          name: 'input_1',
          datatype: 'FP32' as const,
          shape: [rows, side, side, 3],
          buffer: values.slice().buffer,
        });
        const [a, b] = [await ours.execute([input()], rows), await theirs.execute([input()], rows)];
        const [mine, other] = [new Float32Array(a[0]!.buffer), new Float32Array(b[0]!.buffer)];
        expect(mine).toHaveLength(5 * rows);
        const answers = Array.from({ length: rows }, (_, i) => mine.slice(5 * i, 5 * i + 5).join());
        expect(new Set(answers).size).toBe(rows);
        expect(Math.max(...mine.map((value, i) => Math.abs(value - other[i]!)))).toBeLessThan(1e-5);
        for (let row = 0; row < rows; row++)
          expect(mine.slice(5 * row, 5 * row + 5).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
      }
      await ours.close();
      await theirs.close();
    });

  zooTest(
    'silero-vad',
    'a tone is no speech; a stream’s state is the server’s, and two streams do not mix',
    async () => {
      const step = (phase: number) =>
        Float32Array.from({ length: 512 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 220 * (i + phase)) / 16_000));
      const request = (id: number, n: number) => ({
        inputs: [
          { name: 'samples', datatype: 'FP32' as const, shape: [1, 512], data: new Uint8Array(step(512 * n).buffer) },
        ],
        parameters: { sequence_id: id, sequence_start: n === 0 },
      });
      const answers = await asked('silero-vad', [
        request(1, 0),
        request(2, 0),
        request(1, 1),
        request(1, 2),
        request(2, 1),
      ]);
      const speech = answers.map((answer) => floatsOf(answer.get('output'))[0]!);
      expect([...answers[0]!.keys()]).toEqual(['output']);
      expect(Math.max(...speech)).toBeLessThan(0.5);
      expect(speech[0]).toBe(speech[1]);
      expect(speech[2]).toBe(speech[4]);
      expect(speech[2]).not.toBe(speech[0]);
    },
  );

  zooTest('ppocr-det', 'finds the two lines of a picture, and ppocr-rec reads them', async () => {
    const picture = await sharp({ create: { width: 640, height: 200, channels: 3, background: '#fff' } })
      .composite([{ input: Buffer.from(LINES) }])
      .png()
      .toBuffer();
    const [found] = await asked('ppocr-det', [{ inputs: [bytes('image', [picture])] }]);
    const boxes = found!.get('boxes')!;
    expect(boxes.shape).toEqual([1, 2, 5]);
    const model = { inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3, 48, -1] }], outputs: [] };
    const crops = await textCrops.create({}, { model, files: {}, place: 'test' });
    const [lines] = await crops.run([bytes('image', [picture]), boxes]);
    expect(lines!.shape.slice(0, 3)).toEqual([2, 3, 48]);
    const each = floatsOf(boxes);
    const cut = [0, 1].map((i) => {
      const [left, top, right, bottom] = each
        .slice(5 * i, 5 * i + 4)
        .map((at, side) => Math.round(at * (side % 2 ? 200 : 640)));
      return sharp(picture)
        .extract({ left: left!, top: top!, width: right! - left!, height: bottom! - top! })
        .png()
        .toBuffer();
    });
    const [read] = await asked('ppocr-rec', [{ inputs: [bytes('image', await Promise.all(cut))] }]);
    expect(textsOf(read!.get('text'))).toEqual(['which way of serving', 'is better at 250 ms']);
  });

  zooTest(
    'ppocr-boxes',
    'is the second step of a chain, which reads the same in the server and over the network',
    async () => {
      await asked('ppocr-det', []);
      await asked('ppocr-boxes', []);
      const steps = [
        { model: 'ppocr-det', inputMap: { image: 'picture' }, outputMap: { boxes: 'lines' } },
        { model: 'ppocr-boxes', inputMap: { image: 'picture', boxes: 'lines' }, outputMap: { text: 'text' } },
      ];
      const serial = { strategy: { name: 'serial' } };
      const server = await startServer({
        ...{ name: 'zoo', model: { zoo: 'ppocr-det' }, ...serial, frontends: { grpc: { port: 0 } } },
        others: [{ model: { zoo: 'ppocr-boxes' }, modelName: 'ppocr-boxes', ...serial }],
        ensemble: { name: 'reader', steps },
      });
      const connection = { url: server.addresses.grpc!, model: 'reader', connections: 2, timeoutNs: 30e9 };
      const plain = createTransport('grpc', connection);
      try {
        const library = await printed.create({ metadata: server.metadata, seed: 1n, count: 8 });
        const read = (of: typeof plain, index: number) =>
          new Promise<string>((resolve, reject) => {
            of.infer(of.encode({ modelName: 'reader', inputs: library.inputs(index) }), (result) => {
              if (result.outcome !== 'ok') reject(new Error(result.errorMessage));
              else resolve(textsOf(result.response!().outputs.find(({ name }) => name === 'text')).join('\n'));
            });
          });
        let right = 0;
        for (let i = 0; i < 8; i++) {
          const text = await read(plain, i);
          expect(await read(chained(plain, { steps }), i)).toBe(text);
          if (text === library.answer(i)) right++;
        }
        expect(right).toBeGreaterThanOrEqual(4);
      } finally {
        await plain.close();
        await server.close();
      }
    },
  );
});

const LINES = `<svg width="640" height="200"><text x="20" y="60" font-family="DejaVu Sans" font-size="36">which way of serving</text>
<text x="20" y="140" font-family="DejaVu Sans" font-size="36">is better at 250 ms</text></svg>`;
