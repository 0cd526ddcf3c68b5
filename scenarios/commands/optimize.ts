import { areComparable, type Fidelity, fidelityOf } from '../../optimizers/fidelity.js';
import { shareText } from '../../optimizers/model-card.js';
import { type OnnxModel, readModel } from '../../optimizers/onnx/index.js';
import { applyPass, checkSteps, original, type PassStep, type Variant } from '../../optimizers/optimize.js';
import type { PassContext } from '../../optimizers/passes/index.js';
import {
  type AccuracyMetric,
  DEFAULT_MOVES,
  type RecipeTrail,
  runRecipe,
  searchPasses,
  trailRows,
} from '../../optimizers/recipes/index.js';
import { checkOut, type VariantProvenance, writeVariant } from '../../optimizers/variant.js';
import { UserError } from '../../results/errors.js';
import { formatSize } from '../../results/units.js';
import { findModel, resolveModel } from '../../servers/models/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { shareOption, wholeNumber, wordOption } from '../option-values.js';
import { table } from '../print.js';
import { interruptible } from '../progress.js';
import { parseStep, type Recipe, readRecipe } from '../recipe.js';
import { type SampleNames, type SampleRoles, sampleRoles } from '../sample-roles.js';
import { parseDims } from './models.js';
import { modelArgument } from './serve.js';

interface OptimizeOptions {
  readonly pass: readonly string[];
  readonly recipe?: string;
  readonly search?: boolean;
  readonly gate?: string;
  readonly metric?: string;
  readonly onBreak?: string;
  readonly depth: string;
  readonly budget: string;
  readonly rounds: string;
  readonly out: string;
  readonly samples?: string;
  readonly trainSamples?: string;
  readonly dims: readonly string[];
  readonly check?: string;
  readonly json?: boolean;
}

export const optimizeCommand: CommandDefinition = {
  name: 'optimize',
  summary: 'rewrite a model: quantise, prune, distil, split, by recipe or search; with provenance and a model card',
  configure(command, finish) {
    command
      .argument('<model>', 'zoo name or path of an ONNX file')
      .requiredOption('-o, --out <file>', 'the variant, an .onnx file; its provenance and card go beside it')
      .option('--pass <name[:key=value,…]>', 'a pass with its options; again for the next one', collect, [])
      .option('--recipe <file.yaml|a,b,c>', 'passes one by one, each judged by the gate')
      .option(
        '--search',
        'the fastest combination of passes (of the recipe’s, or of a list of ours) that keeps the gate',
      )
      .option(
        '--gate <share>',
        'least accuracy, of the reference’s, after each pass: 99% (the default of recipes), 99.9%',
      )
      .option('--metric <name>', 'top-1, agreement or cosine; default: top-1 with labels, else agreement')
      .option(
        '--on-break <what>',
        'a pass that breaks the gate is left out (drop, the default) or ends the recipe (end)',
      )
      .option('--depth <n>', 'search: passes in a combination at most', '3')
      .option('--budget <n>', 'search: combinations to try at most', '40')
      .option('--rounds <n>', 'interleaved executions a model, for latency', '200')
      .option(
        '--samples <name[:key=value,…]>',
        'inputs for the comparison; every second one is for passes that need some',
      )
      .option('--train-samples <name[:key=value,…]>', 'inputs for calibration and training, apart from those')
      .option('--dims <input=d,d>', 'shapes of made-up samples for dynamic dimensions', collect, [])
      .option('--check <n>', 'samples to judge answers on; 0: none (default 1000; with a gate 10000)')
      .option('--json', 'print the provenance as JSON')
      .action((model: string, options: OptimizeOptions) => finish(optimize(model, options)));
  },
};

async function optimize(text: string, options: OptimizeOptions): Promise<number> {
  const job = jobOf(options);
  const check = wholeNumber('--check', options.check ?? (job.gated ? '10000' : '1000'), job.gated ? 1 : 0, 1_000_000);
  checkSteps(job.steps);
  const model = await resolveModel(modelArgument(text));
  if (model.path === undefined || model.sha256 === undefined)
    throw new UserError({ place: text, found: 'this model has no file', allowed: 'models in ONNX files' });
  checkOut(options.out, model.path);
  const source = { name: model.name, path: model.path, sha256: model.sha256, model: readModel(model.path) };
  const samples = sampleRoles(model, text, sampleNames(text, options));
  const context = { place: text, samples: samples.training, signal: interruptible().signal };
  const { variant, trail } = job.gated
    ? await gated(source.model, job, samples, check, context)
    : { variant: await applyAll(source.model, job.steps, context), trail: undefined };
  if (trail && !options.json) process.stdout.write(`${trailPage(trail)}\n`);
  if (variant === null || (trail && variant.applied.length === 0)) {
    process.stderr.write('No pass keeps the gate and gains time: nothing is written.\n');
    return EXIT.invalid;
  }
  // What passes looked at, before the comparison below.
  const used = samples.used();
  const provenance = writeVariant(source, variant, options.out, {
    fidelity: check > 0 ? await compare(source.model, variant, samples, check) : null,
    samples: used ? { name: used.name, sha256: used.sha256 } : null,
    ...(trail && { recipe: trail }),
  });
  process.stdout.write(options.json ? `${JSON.stringify(provenance, null, 2)}\n` : page(provenance, options.out));
  const note = samples.note();
  if (note !== undefined) process.stderr.write(`note  samples: ${note}\n`);
  return EXIT.done;
}

interface Job {
  readonly steps: readonly PassStep[];
  readonly gated: boolean;
  readonly search: boolean;
  readonly gate: number;
  readonly metric: AccuracyMetric | undefined;
  readonly onBreak: 'drop' | 'end';
  readonly depth: number;
  readonly budget: number;
  readonly rounds: number;
}

/** What is asked for, options over the recipe's file. Throws UserError where it is not one thing. */
function jobOf(options: OptimizeOptions): Job {
  const search = options.search ?? false;
  const gatedBy = options.recipe !== undefined || search;
  if (options.pass.length > 0 === gatedBy)
    throw new UserError({
      place: 'servemark optimize',
      found: gatedBy ? '--pass beside --recipe or --search' : 'nothing to do',
      allowed: 'either --pass (again and again), or --recipe, or --search, or --recipe with --search',
      remedy: gatedBy ? 'Put the pass into the recipe' : '`servemark list passes` shows what there is',
    });
  const recipe: Recipe = options.recipe === undefined ? { passes: [] } : readRecipe(options.recipe);
  const passes = options.recipe === undefined && search ? DEFAULT_MOVES : recipe.passes;
  // Who names a gate beside passes means it: they are then a recipe.
  const named = [options.gate, options.metric, options.onBreak].some((each) => each !== undefined);
  return {
    steps: gatedBy ? passes : options.pass.map(parseStep),
    gated: gatedBy || named,
    search,
    gate:
      options.gate === undefined
        ? (recipe.gate ?? 0.99)
        : shareOption('--gate', options.gate, { above: '0%', most: '100%' }),
    metric:
      options.metric === undefined
        ? recipe.metric
        : wordOption('--metric', options.metric, ['top-1', 'agreement', 'cosine']),
    onBreak:
      options.onBreak === undefined
        ? (recipe.onBreak ?? 'drop')
        : wordOption('--on-break', options.onBreak, ['drop', 'end']),
    depth: wholeNumber('--depth', options.depth, 1, 10),
    budget: wholeNumber('--budget', options.budget, 1, 10_000),
    rounds: wholeNumber('--rounds', options.rounds, 10, 100_000),
  };
}

/** The samples named, or those that fit a model of the zoo. */
function sampleNames(text: string, options: OptimizeOptions): SampleNames {
  const known = findModel(text);
  const step = (name: string | undefined) => (name === undefined ? undefined : { name, options: {} });
  const own = options.samples === undefined && options.trainSamples === undefined;
  return {
    judging: options.samples === undefined ? step(known?.samples) : parseStep(options.samples),
    training:
      options.trainSamples === undefined
        ? step(own ? known?.trainingSamples : undefined)
        : parseStep(options.trainSamples),
    trainingIsOptional: own,
    dims: parseDims(options.dims),
  };
}

async function applyAll(model: OnnxModel, steps: readonly PassStep[], context: PassContext): Promise<Variant> {
  let variant = original(model);
  for (const step of steps) {
    process.stderr.write(`${step.name} …\n`);
    variant = await applyPass(variant, step, context);
  }
  return variant;
}

async function gated(
  reference: OnnxModel,
  job: Job,
  roles: SampleRoles,
  count: number,
  context: PassContext,
): Promise<{ variant: Variant | null; trail: RecipeTrail }> {
  await roles.settle();
  const court = { reference, samples: await roles.judging(), count, gate: job.gate, metric: job.metric };
  const options = { ...job, beam: BEAM, say: (line: string) => process.stderr.write(`${line}\n`) };
  return job.search ? searchPasses(job.steps, court, options, context) : runRecipe(job.steps, court, options, context);
}

const BEAM = 3;

/** Null where there are no samples, the variant's parts make a model only together, or it answers something else. */
async function compare(
  reference: OnnxModel,
  variant: Variant,
  samples: SampleRoles,
  count: number,
): Promise<Fidelity | null> {
  const [only, ...others] = variant.models;
  if (!samples.isNamed || only === undefined || others.length > 0) return null;
  if (!areComparable(reference, only.model)) {
    process.stderr.write(
      'note  its answers are of another width than its parent’s: not compared; judge it by labels, in a scenario\n',
    );
    return null;
  }
  return fidelityOf(reference, only.model, await samples.judging(), count);
}

function trailPage(trail: RecipeTrail): string {
  const { head, cells } = trailRows(trail);
  const { metric, gate, judgedOn, seconds } = trail;
  const rule = `gate  ${metric} ≥ ${(100 * gate).toFixed(2)} % of the reference’s, on ${judgedOn.count} samples of ${judgedOn.name}; ${seconds.toFixed(0)} s\n`;
  return `${table(head, cells)}${rule}${trail.notes.map((note) => `note  ${note}\n`).join('')}`;
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
