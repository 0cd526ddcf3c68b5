/** What pacer and worker share. */
export interface PacerBuffers {
  readonly memory: SharedArrayBuffer;
  /** Due times of the load, ns from its t = 0, ascending; may be empty. */
  readonly schedule: SharedArrayBuffer;
}

export interface PacerMemory {
  /** [0] is raised with every change of what the worker is told; [1] is 1 when it shall end; [2]: see NEXT. */
  readonly control: Int32Array;
  /** See the constants below. Written before control[0] is raised. */
  readonly times: Float64Array;
  readonly schedule: Float64Array;
}

export const CHANGES = 0;
export const CLOSED = 1;
/** The first time of the schedule for which the worker has woken nobody yet; it is raised before the waking. */
export const NEXT = 2;
/** times[0]: when to wake the sender (nowNs; Infinity: not at all). */
export const TARGET = 0;
/** times[1]: t = 0 of the schedule (nowNs; Infinity: it has not begun): the sender is woken for each of its times without being asked. */
export const ORIGIN = 1;
/** times[2]: how long before. */
export const LEAD = 2;

export function pacerBuffers(dueNs: Float64Array): PacerBuffers {
  const schedule = new SharedArrayBuffer(8 * dueNs.length);
  new Float64Array(schedule).set(dueNs);
  return { memory: new SharedArrayBuffer(40), schedule };
}

export function pacerMemory({ memory, schedule }: PacerBuffers): PacerMemory {
  return {
    control: new Int32Array(memory, 0, 3),
    times: new Float64Array(memory, 16, 3),
    schedule: new Float64Array(schedule),
  };
}
