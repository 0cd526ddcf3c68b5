/**
 * Which model a server loads, as plain data: one of the zoo, a file, or a runtime that needs none. `options` go to the
 * runtime and win over what the zoo says.
 */
export type ModelSpec =
  | { readonly zoo: string; readonly options?: Readonly<Record<string, unknown>> | undefined }
  | {
      readonly path: string;
      /** Default: the one that loads files of its kind. */
      readonly runtime?: string | undefined;
      /** Served under this name; default: the file's name without its ending. */
      readonly name?: string | undefined;
      /** Files outside of this folder are refused. */
      readonly root?: string | undefined;
      /** How the file is made where it is not there yet; whoever plans a run sees to it. */
      readonly made?: MadeModel | undefined;
      /** The file is a net that is generated, likewise. */
      readonly dense?: DenseSizes | undefined;
      readonly options?: Readonly<Record<string, unknown>> | undefined;
    }
  | {
      readonly runtime: string;
      readonly name?: string | undefined;
      readonly options?: Readonly<Record<string, unknown>> | undefined;
    };

/** A model that passes make of another one: plain data, so that a stored plan can make it again. */
export interface MadeModel {
  readonly parent: ModelSpec;
  readonly passes: readonly { readonly name: string; readonly options: Readonly<Record<string, unknown>> }[];
  /** Written as a model of TensorFlow.js; absent: of ONNX. */
  readonly form?: 'tfjs' | undefined;
  /** What passes may look at: so many of them, which nothing is judged on. Null where nothing fits. */
  readonly samples: {
    readonly name: string;
    readonly directory?: string | undefined;
    readonly count?: number | undefined;
    readonly dims?: Readonly<Record<string, readonly number[]>> | undefined;
    readonly forPasses?: number | undefined;
    /** They are the model's own inputs, not what the processor before it takes. */
    readonly bare?: boolean | undefined;
  } | null;
}

/** The kind of file that a made model was converted to; undefined where passes made it of its parent's own kind. */
export function conversionOf({ passes, form }: MadeModel): 'onnx' | 'tfjs' | undefined {
  return form ?? (passes.length === 0 ? 'onnx' : undefined);
}

/** A generated net: `layers` square layers of `width`, weights drawn from `seed`. */
export interface DenseSizes {
  readonly layers: number;
  readonly width: number;
  readonly seed: number;
}
