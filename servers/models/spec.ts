/**
 * Which model a server loads, as plain data: one of the zoo, a file, or a runtime that needs none. `options` go to the
 * runtime and win over what the zoo says.
 */
export type ModelSpec =
  | { readonly zoo: string; readonly options?: Readonly<Record<string, unknown>> | undefined }
  | {
      readonly path: string;
      /** Served under this name; default: the file's name without its ending. */
      readonly name?: string | undefined;
      /** Files outside of this folder are refused. */
      readonly root?: string | undefined;
      readonly options?: Readonly<Record<string, unknown>> | undefined;
    }
  | {
      readonly runtime: string;
      readonly name?: string | undefined;
      readonly options?: Readonly<Record<string, unknown>> | undefined;
    };
