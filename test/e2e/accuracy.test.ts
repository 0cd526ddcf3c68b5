import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { samplesNamed } from '../../clients/samples/index.js';
import { createTransport } from '../../clients/transports/index.js';
import type { InferResponse, ModelMetadata, Tensor } from '../../servers/protocol/index.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import { type Served, serve, servemark } from './cli.js';
import { onlyRun, readJson, scenarioFile, workFolder } from './folders.js';

const TRANSPORTS = ['rest', 'rest-binary', 'grpc', 'in-process'] as const;
/** gRPC and JSON cost several times as much; without SERVEMARK_SLOW=1 their answers are only held to the others' below. */
const COUNTED = process.env.SERVEMARK_SLOW === '1' ? TRANSPORTS : (['rest-binary', 'in-process'] as const);
if (COUNTED !== TRANSPORTS) console.log('skipped: all images over gRPC and JSON (SERVEMARK_SLOW=1 runs them)');
const folder = workFolder('accuracy');

test('all 10,000 images are classified alike over the network and without, at least 88 % of them rightly', async () => {
  const file = scenarioFile(
    folder,
    'accuracy',
    `schema: 1
question: Does the transport change an answer?
systems: { one: { strategy: serial } }
loads: { few: { type: closed, concurrency: 1, duration: 1ms } }
transports: [${COUNTED.join(', ')}]
targets: { accuracy: 88% }
accuracy: true
warmUp: 0
`,
  );
  const { code, stderr } = await servemark(['run', file, '--out', join(folder, 'runs')]);
  expect(code, stderr).toBe(0);
  const found = COUNTED.map((transport) => {
    const path = join(onlyRun(join(folder, 'runs'))!, 'trials', `one.accuracy.${transport}.r1`, 'summary.json');
    return readJson(path) as { accuracy: { correct: number; total: number }; verdict: { state: string } };
  });
  for (const { accuracy, verdict } of found) {
    expect(accuracy.total).toBe(10_000);
    expect(accuracy.correct).toBeGreaterThanOrEqual(8800);
    expect(accuracy.correct).toBe(found[0]!.accuracy.correct);
    expect(verdict.state).toBe('VALID');
  }
}, 90_000);

let served: Served;
let own: RunningServer;
beforeAll(async () => {
  served = await serve(['fashion-mlp']);
  own = await startServer({ name: 'own', model: { zoo: 'fashion-mlp' }, strategy: { name: 'serial' }, frontends: {} });
});
afterAll(() => Promise.all([served.stop(), own.close()]));

test('the scores of an image are the same bits over every transport', async () => {
  const images = await imagesOf(own.metadata);
  const all = await Promise.all(TRANSPORTS.map((name) => scores(name, images)));
  for (const each of all) expect(each).toEqual(all[0]);
  expect(all[0]![0]).toHaveLength(10 * 4);
});

async function imagesOf(metadata: ModelMetadata): Promise<(readonly Tensor[])[]> {
  const library = await samplesNamed('fashion-mnist').create({ metadata, seed: 1n });
  return Array.from({ length: 100 }, (_, i) => library.inputs(100 * i));
}

/** The bytes of the output of each image. */
async function scores(name: string, images: readonly (readonly Tensor[])[]): Promise<Buffer[]> {
  const transport = createTransport(name, {
    url: name === 'grpc' ? served.grpcAddress : served.restUrl,
    model: 'fashion-mlp',
    connections: 1,
    timeoutNs: 5e9,
    service: own.service,
  });
  const ask = (inputs: readonly Tensor[]): Promise<InferResponse> =>
    new Promise((resolve, reject) => {
      transport.infer(transport.encode({ modelName: 'fashion-mlp', inputs }), (result) =>
        result.outcome === 'ok' ? resolve(result.response!()) : reject(new Error(result.errorMessage)),
      );
    });
  const found: Buffer[] = [];
  for (const image of images) found.push(Buffer.from((await ask(image)).outputs[0]!.data));
  await transport.close();
  return found;
}
