import { type SampleLibrary, samplesNamed } from '../../clients/samples/index.js';
import { type Fidelity, fidelityOf } from '../../optimizers/fidelity.js';
import { shareText } from '../../optimizers/model-card.js';
import { readModel } from '../../optimizers/onnx/index.js';
import { applyPass, checkSteps, original, type PassStep, type Variant } from '../../optimizers/optimize.js';
import { type VariantProvenance, writeVariant } from '../../optimizers/variant.js';
import { UserError } from '../../results/errors.js';
import { formatSize } from '../../results/units.js';
import { findModel, inspectModel, type ResolvedModel, resolveModel } from '../../servers/models/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { table } from '../print.js';
import { interruptible } from '../progress.js';
import { parseSettings } from '../settings.js';
import { parseDims } from './models.js';
import { wholeNumber } from './schedule.js';
import { modelArgument } from './serve.js';

interface OptimizeOptions {
  readonly pass: readonly string[];
  readonly out: string;
  readonly samples?: string;
  readonly dims: readonly string[];
  readonly check: string;
  readonly json?: boolean;
}

export const optimizeCommand: CommandDefinition = {
  name: 'optimize',
  summary: 'rewrite a model: quantise, prune, distil, split; with provenance and a model card',
  configure(command, finish) {
    command
      .argument('<model>', 'zoo name or path of an ONNX file')
      .requiredOption('--pass <name[:key=value,…]>', 'a pass with its options; again for the next one', collect, [])
      .requiredOption('-o, --out <file>', 'the variant, an .onnx file; its provenance and card go beside it')
      .option('--samples <name[:key=value,…]>', 'inputs for calibration, training and the comparison')
      .option('--dims <input=d,d>', 'shapes of made-up samples for dynamic dimensions', collect, [])
      .option('--check <n>', 'samples to compare the variant’s answers on; 0: none', '1000')
      .option('--json', 'print the provenance as JSON')
      .action((model: string, options: OptimizeOptions) => finish(optimize(model, options)));
  },
};

async function optimize(text: string, options: OptimizeOptions): Promise<number> {
  const steps = options.pass.map(parseStep);
  checkSteps(steps);
  const check = wholeNumber('--check', options.check, 0, 1_000_000);
  const model = await resolveModel(modelArgument(text));
  if (model.path === undefined || model.sha256 === undefined)
    throw new UserError({ place: text, found: 'this model has no file', allowed: 'models in ONNX files' });
  const source = { name: model.name, path: model.path, sha256: model.sha256, model: readModel(model.path) };
  const samples = lazySamples(model, text, options);
  const context = { place: text, samples: samples.get, signal: interruptible().signal };
  let variant = original(source.model);
  for (const step of steps) {
    process.stderr.write(`${step.name} …\n`);
    variant = await applyPass(variant, step, context);
  }
  // What passes looked at; the comparison below looks at samples in any case.
  const used = samples.used();
  const fidelity = check > 0 ? await compare(source.model, variant, samples, check) : null;
  const provenance = writeVariant(source, variant, options.out, {
    fidelity,
    samples: used ? { name: used.name, sha256: used.sha256 } : null,
  });
  process.stdout.write(options.json ? `${JSON.stringify(provenance, null, 2)}\n` : page(provenance, options.out));
  return EXIT.done;
}

/** `name:key=value,key=[1,2]` as a step. Commas within brackets belong to the value. */
function parseStep(text: string): PassStep {
  const [name, ...rest] = text.split(':');
  const settings = rest.join(':').match(/(?:[^,[{]|\[[^\]]*\]|\{[^}]*\})+/g) ?? [];
  return { name: name!, options: parseSettings(settings) };
}

interface LazySamples {
  readonly get: () => Promise<SampleLibrary>;
  /** The library, if a pass asked for it. */
  readonly used: () => SampleLibrary | undefined;
  readonly isNamed: boolean;
}

/** The samples named, or those that fit a model of the zoo; made when a pass asks for them. */
function lazySamples(model: ResolvedModel, text: string, options: OptimizeOptions): LazySamples {
  let library: SampleLibrary | undefined;
  const known = findModel(text)?.samples;
  const step = options.samples ? parseStep(options.samples) : known ? { name: known, options: {} } : undefined;
  return {
    isNamed: step !== undefined,
    used: () => library,
    get: async () => {
      if (step === undefined)
        throw new UserError({
          place: text,
          found: 'no samples are given',
          allowed: 'the name of a sample library (servemark list samples)',
          remedy: 'Add --samples npy:directory=FOLDER with real inputs, or --samples random for a first try',
        });
      library ??= await samplesNamed(step.name, '--samples').create({
        metadata: { name: model.name, ...(await inspectModel(model)) },
        seed: BigInt(Number(step.options.seed ?? 1)),
        directory: step.options.directory === undefined ? undefined : String(step.options.directory),
        count: step.options.count === undefined ? undefined : Number(step.options.count),
        dims: parseDims(options.dims),
      });
      return library;
    },
  };
}

/** Null where there are no samples, or the variant's parts make a model only together. */
async function compare(
  reference: Parameters<typeof fidelityOf>[0],
  variant: Variant,
  samples: LazySamples,
  count: number,
): Promise<Fidelity | null> {
  const [only, ...others] = variant.models;
  if (!samples.isNamed || only === undefined || others.length > 0) return null;
  return fidelityOf(reference, only.model, await samples.get(), count);
}

function page({ passes, bytes, files, fidelity }: VariantProvenance, out: string): string {
  const rows: string[][] = [
    ['bytes', `${formatSize(bytes.before)} → ${formatSize(bytes.after)} (${bytes.ratio.toFixed(3)})`],
    ['files', files.map(({ file }) => file).join(', ')],
    ...(fidelity
      ? [
          [
            'cosine',
            `${fidelity.cosine.toFixed(6)} with the parent, on ${fidelity.count} samples of ${fidelity.samples}`,
          ],
          ['agreement', `${(100 * fidelity.agreement).toFixed(2)} % have the same largest output`],
        ]
      : []),
    ...(fidelity?.topOne && fidelity.referenceTopOne
      ? [['top-1', `${shareText(fidelity.referenceTopOne)} → ${shareText(fidelity.topOne)}`]]
      : []),
  ];
  const notes = passes.flatMap(({ name, notes: said }) => said.map((note) => `note  ${name}: ${note}\n`));
  return `${table([`wrote ${out}`, ''], rows)}${notes.join('')}`;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
