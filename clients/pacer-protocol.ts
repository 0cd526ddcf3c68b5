/** What pacer and worker share: one SharedArrayBuffer of 32 bytes. */
export interface PacerMemory {
  /** [0] is raised with every change of the target; [1] is 1 when the worker shall end. */
  readonly control: Int32Array;
  /** [0]: when to wake the sender (nowNs; Infinity: not at all). Written before control[0] is raised. */
  readonly times: Float64Array;
}

export const CHANGES = 0;
export const CLOSED = 1;
export const TARGET = 0;

export function pacerMemory(buffer: SharedArrayBuffer): PacerMemory {
  return { control: new Int32Array(buffer, 0, 2), times: new Float64Array(buffer, 16, 2) };
}
