import type { z } from 'zod';
import type { SampleLibrary } from '../../clients/samples/index.js';
import type { SplitPlan } from '../../servers/runtimes/index.js';
import type { OnnxModel } from '../onnx/index.js';

/** Rewrites a model. One file, one line in the registry. */
export interface PassDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  /** It makes several models and a plan of this kind. */
  readonly splits?: SplitPlan['kind'] | undefined;
  /**
   * The rewritten model; `model` is not changed. Throws UserError where the pass can do nothing with it, with the reason:
   * a pass never answers the model as it was.
   */
  apply(model: OnnxModel, options: z.output<Options>, context: PassContext): Promise<PassResult>;
}

/** What a pass may use besides the model. */
export interface PassContext {
  /** The model's file, for errors. */
  readonly place: string;
  /** Real inputs, for passes that look at activations or train. Throws UserError where the user gave none. */
  samples(): Promise<SampleLibrary>;
  /** Labels and gates are the caller's; this only stops. */
  readonly signal?: AbortSignal | undefined;
}

export interface PassResult {
  /** One model, or the parts of a split one. */
  readonly models: readonly ResultModel[];
  /** How a runtime executes the parts; stored as JSON beside them. */
  readonly plan?: SplitPlan | undefined;
  /** What changed, in figures, for provenance and model card. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What a user should know: layers left alone and why. */
  readonly notes: readonly string[];
}

export interface ResultModel {
  /** Added to the file's name; empty for the only model. */
  readonly suffix: string;
  readonly model: OnnxModel;
}

export function definePass<Options extends z.ZodType>(definition: PassDefinition<Options>): PassDefinition<Options> {
  return definition;
}
