import { halves, type SampleLibrary, type SampleParts, samplesNamed } from '../clients/samples/index.js';
import { modelSamples } from '../optimizers/model-samples.js';
import type { PassStep } from '../optimizers/optimize.js';
import { UserError } from '../results/errors.js';
import type { ResolvedModel } from '../servers/models/index.js';

export interface SampleNames {
  /** What accuracy is judged on; undefined: none is known. */
  readonly judging: PassStep | undefined;
  /** What passes may train and calibrate on. */
  readonly training: PassStep | undefined;
  /** The training library may be missing here: half of the judging one does then. */
  readonly trainingIsOptional: boolean;
  readonly dims: Readonly<Record<string, readonly number[]>> | undefined;
}

export interface SampleRoles {
  /** For passes. Throws UserError where no samples are known. */
  training(): Promise<SampleLibrary>;
  /** For the comparison: samples that no pass has seen. */
  judging(): Promise<SampleLibrary>;
  /** Decides the roles now, before the first judgement: samples that a pass may see later are then not judged on. */
  settle(): Promise<void>;
  readonly isNamed: boolean;
  /** The library that passes asked for, so far. */
  readonly used: () => SampleLibrary | undefined;
  /** What a user must know of the roles. */
  readonly note: () => string | undefined;
}

/** Libraries are made when they are asked for; judging takes all samples as long as no pass asked for any. */
export function sampleRoles(model: ResolvedModel, place: string, names: SampleNames): SampleRoles {
  let roles: Promise<SampleParts> | undefined;
  let whole: Promise<SampleLibrary> | undefined;
  let used: SampleLibrary | undefined;
  let note: string | undefined;
  const create = async (step: PassStep, option: string): Promise<SampleLibrary> => {
    const { library, asInputs } = await modelSamples(samplesNamed(step.name, option), model, {
      seed: BigInt(Number(step.options.seed ?? 1)),
      directory: step.options.directory === undefined ? undefined : String(step.options.directory),
      count: step.options.count === undefined ? undefined : Number(step.options.count),
      dims: names.dims,
    });
    return asInputs(library);
  };
  const judging = () => {
    if (names.judging === undefined) throw noSamples(place);
    whole ??= create(names.judging, '--samples');
    return whole;
  };
  const decide = async (): Promise<SampleParts> => {
    if (names.training !== undefined)
      try {
        const forPasses = await create(names.training, '--train-samples');
        // Without samples to judge on nothing is judged; the passes still have theirs.
        return { forPasses, others: names.judging === undefined ? forPasses : await judging() };
      } catch (error) {
        if (!(error instanceof UserError) || !names.trainingIsOptional) throw error;
        note = `${names.training.name} is not here (${error.problems[0]!.place}): passes saw every second sample, accuracy is judged on the others`;
      }
    note ??=
      'passes saw every second sample, accuracy is judged on the others (--train-samples names a library of its own)';
    return halves(await judging());
  };
  return {
    isNamed: names.judging !== undefined,
    used: () => used,
    note: () => note,
    training: async () => {
      roles ??= decide();
      used = (await roles).forPasses;
      return used;
    },
    settle: async () => {
      roles ??= decide();
      await roles;
    },
    judging: async () => (roles ? (await roles).others : judging()),
  };
}

function noSamples(place: string): UserError {
  return new UserError({
    place,
    found: 'no samples are given',
    allowed: 'the name of a sample library (servemark list samples)',
    remedy: 'Add --samples npy:directory=FOLDER with real inputs, or --samples random for a first try',
  });
}
