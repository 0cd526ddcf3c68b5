import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SampleLibrary } from '../../../clients/samples/index.js';
import { fidelityOf } from '../../../optimizers/fidelity.js';
import { checkModel, type OnnxModel, readModel } from '../../../optimizers/onnx/index.js';
import { encodeModel } from '../../../optimizers/onnx/write.js';
import { type PassDefinition, parsePassOptions, passes } from '../../../optimizers/passes/index.js';
import { UserError } from '../../../results/errors.js';
import { denseNet, netForms, rowsLibrary } from '../../fixtures/dense-nets.js';
import { fashionSamples } from '../../fixtures/fashion.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';

/** They answer several models: held to what they promise in split.test.ts. */
const SPLIT = ['split-pipeline', 'split-tensor', 'bucket'];
/** It answers classes where an embedding was: linear-probe.test.ts. */
const OTHER = [...SPLIT, 'linear-probe'];
const SINGLE = passes.filter(({ name }) => !OTHER.includes(name));

/** Options under which a pass keeps a generated net's answers, and how well: the mean cosine on 32 rows. */
const KEEPS: Readonly<Record<string, readonly [options: Record<string, unknown>, cosine: number]>> = {
  'quantize-dynamic': [{}, 0.998],
  'quantize-static': [{ count: 64 }, 0.99],
  'quantize-weights': [{ minWeights: 0, block: 16 }, 0.98],
  'smooth-quant': [{ count: 16 }, 0.999999],
  qat: [{ epochs: 2 }, 0.99],
  fp16: [{}, 0.9999],
  'prune-unstructured': [{ sparsity: 0.1 }, 0.98],
  'prune-structured': [{ share: 0, multiple: 1 }, 0.999999],
  'low-rank': [{ ratio: 0.4, minWeights: 0, minSide: 1 }, 0.3],
  distill: [{ hidden: [8], epochs: 1 }, -1],
  graph: [{}, 0.999999],
};

describe.each(SINGLE.map((pass): [string, PassDefinition] => [pass.name, pass]))('%s', (name, pass) => {
  const known = KEEPS[name];
  const [chosen, cosine] = known ?? [{}, 0];
  const options = parsePassOptions(pass, chosen);

  test('keeps what it promises of any dense net: its interface, its answers, and the model it was given', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(netForms, async (form) => {
        const model = denseNet(form);
        const before = encodeModel(model);
        const samples = rowsLibrary(form.inputs, 128, form.seed + 1);
        const result = await apply(pass, model, options, samples);
        expect(encodeModel(model).equals(before)).toBe(true);
        if (result === undefined) {
          refused++;
          return;
        }
        expect(checkModel(result, name)).toEqual([]);
        expect(interfaceOf(result)).toEqual(interfaceOf(model));
        expect(opsetOf(result)).toBe(opsetOf(model));
        const found = await fidelityOf(model, result, samples, 32);
        expect(found.cosine).toBeGreaterThanOrEqual(cosine);
        const again = await apply(pass, denseNet(form), options, samples);
        expect(encodeModel(again!).equals(encodeModel(result))).toBe(true);
      }),
      { numRuns: 12, seed: 7 },
    );
    // Refusing is allowed where a pass asks for more (two layers, ReLU): not always.
    expect(refused).toBeLessThan(12);
  }, 60_000);
});

/** The embedded model's 1024² eigenproblem takes ten seconds; a smaller one says as much. */
const QUICK = passes.filter(({ name }) => name !== 'low-rank' && !OTHER.includes(name));

describe.each(QUICK.map((pass): [string, PassDefinition] => [pass.name, pass]))(
  '%s of the embedded model',
  (name, pass) => {
    test('keeps its interface and its accuracy', async () => {
      const chosen = KEEPS[name]?.[0];
      const model = readModel(FASHION_MLP);
      const samples = await fashionSamples();
      const fitting = name === 'distill' || name === 'qat' ? { ...chosen, trainCount: 240, epochs: 1 } : chosen;
      const result = await apply(pass, model, parsePassOptions(pass, fitting), samples);
      expect(result).toBeDefined();
      expect(interfaceOf(result!)).toEqual(interfaceOf(model));
      if (name === 'distill') return;
      const found = await fidelityOf(model, result!, samples, 200);
      expect(found.cosine).toBeGreaterThan(0.98);
      expect(found.topOne!.value).toBeGreaterThan(0.85);
    }, 60_000);
  },
);

test('every pass is held to the contract with options of its own', () => {
  expect(Object.keys(KEEPS).sort()).toEqual(SINGLE.map(({ name }) => name).sort());
});

/** The rewritten model; undefined where the pass refuses it with a reason. */
async function apply(
  pass: PassDefinition,
  model: OnnxModel,
  options: unknown,
  samples: SampleLibrary,
): Promise<OnnxModel | undefined> {
  try {
    const { models } = await pass.apply(model, options, { place: 'net', samples: async () => samples });
    return models[0]!.model;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.problems[0]!.found).not.toBe('');
    return undefined;
  }
}

/** Names, types and dims of inputs (constants that are inputs aside) and outputs. */
function interfaceOf({ graph, initializers }: OnnxModel): unknown {
  const own = graph.input.filter(({ name }) => !initializers.has(name));
  return [...own, ...graph.output].map(({ name, type }) => {
    const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
    return [name, tensor?.elemType, tensor?.shape?.dim.map(({ value }) => String(value.value))];
  });
}

function opsetOf({ head }: OnnxModel): number {
  return Number(head.opsetImport.find(({ domain }) => domain === '')?.version);
}
