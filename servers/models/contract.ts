import type { ProcessingSpec } from '../processing/index.js';

/** A model file found, with what is known of where it came from. */
export interface ResolvedModel {
  readonly name: string;
  readonly version: string;
  readonly runtime: string;
  readonly runtimeOptions: Readonly<Record<string, unknown>>;
  /** Absolute; undefined where the runtime needs no file. */
  readonly path: string | undefined;
  /** Hex; undefined where there is no file. */
  readonly sha256: string | undefined;
  /** One line: script, seed, licence, parent. */
  readonly provenance: string;
  /** What stands before and behind it. */
  readonly processing?: ProcessingSpec | undefined;
  /** Output → input: what the server keeps between the requests of a sequence (stateful-model.ts). */
  readonly states?: Readonly<Record<string, string>> | undefined;
}

/** Finds a model. */
export interface ModelSource {
  resolve(signal?: AbortSignal): Promise<ResolvedModel>;
}

/** A named model that servemark knows (the zoo). One file, one line in the registry. */
export interface ModelDefinition extends ModelSource {
  readonly name: string;
  readonly summary: string;
  readonly runtime: string;
  /** Of a model that the user added from a file. */
  readonly licence?: string;
  /** Name of the sample library that fits it (clients/samples), if any. */
  readonly samples?: string;
  /** Name of the library that passes may train and calibrate on: other samples than `samples`. */
  readonly trainingSamples?: string;
  /** How its answers are judged (results/accuracy); absent: top-1. */
  readonly metric?: string;
  /** What makes its inputs of images, text …, and what makes answers of its outputs. */
  readonly processing?: ProcessingSpec | undefined;
  readonly states?: Readonly<Record<string, string>>;
}
