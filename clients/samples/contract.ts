import type { Truth } from '../../results/accuracy/index.js';
import type { ModelMetadata, Tensor } from '../../servers/protocol/index.js';

/** The inputs of a load: one sample is one row of the batch dimension. */
export interface SampleLibrary {
  readonly name: string;
  readonly totalSampleCount: number;
  /** How many fit in memory for a performance run. */
  readonly performanceSampleCount: number;
  /** Hash of the content, hex. */
  readonly sha256: string;
  /** The input tensors of one sample, batch dimension 1 included. */
  inputs(index: number): readonly Tensor[];
  /** The right answer, where there is one (a class index). */
  label?(index: number): number;
  /** The right answer where it is no index: a text, the name of a class, numbers. Wins over `label`. */
  answer?(index: number): Truth;
}

export interface SampleDefinition {
  readonly name: string;
  readonly summary: string;
  /** `directory` for libraries that read a folder; `seed` for those that generate. */
  create(options: {
    readonly metadata: ModelMetadata;
    readonly seed: bigint;
    readonly directory?: string | undefined;
    readonly count?: number | undefined;
    readonly dims?: Readonly<Record<string, readonly number[]>> | undefined;
  }): Promise<SampleLibrary>;
}
