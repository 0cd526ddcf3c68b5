import type { z } from 'zod';
import type { Tensor, TensorMetadata } from '../protocol/index.js';

/** What a processor is made for. */
export interface ProcessorContext {
  /** The model that it stands before or behind. */
  readonly model: { readonly inputs: readonly TensorMetadata[]; readonly outputs: readonly TensorMetadata[] };
  /** Role → path of a file that belongs to the model: a vocabulary, names of classes. */
  readonly files: Readonly<Record<string, string>>;
  /** For messages. */
  readonly place: string;
}

/**
 * Turns the tensors of one request into others, rows in order. Before a model (`pre`): what clients send into the model's
 * inputs. Behind it (`post`): outputs that it needs of the model into what clients get.
 */
export interface Processor {
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** At once where it can. Throws ProtocolError INVALID_ARGUMENT for content that is no image, no text …. Keeps no state. */
  run(tensors: readonly Tensor[]): readonly Tensor[] | Promise<readonly Tensor[]>;
}

/** One file, one line in the registry. */
export interface ProcessorDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly side: 'pre' | 'post';
  readonly options: Options;
  /** Roles of the files that it can't do without. */
  readonly needs?: readonly string[];
  /** Throws UserError where the model, a file or a package that it needs does not fit or is absent. */
  create(options: z.output<Options>, context: ProcessorContext): Promise<Processor>;
}

export function defineProcessor<Options extends z.ZodType>(
  definition: ProcessorDefinition<Options>,
): ProcessorDefinition<Options> {
  return definition;
}

/** A processor by name, with its options: plain data. */
export interface ProcessorChoice {
  readonly name: string;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** What stands before and behind a model, as plain data: it crosses process boundaries as JSON. */
export interface ProcessingSpec {
  readonly pre?: ProcessorChoice | undefined;
  readonly post?: ProcessorChoice | undefined;
  /** Role → path. */
  readonly files: Readonly<Record<string, string>>;
}
