import { z } from 'zod';
import { UserError } from '../../../results/errors.js';
import type { WorkerSpec } from './worker-messages.js';

/** What the options of all parallel runtimes have besides those of their sessions. */
export const parallelShape = {
  /** Processors of each worker, as in `taskset -c`, in order: [0, 1, 2-3]. Default: the instance's. */
  cpus: z.array(z.union([z.number().int().nonnegative(), z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/)])).optional(),
  /** Device of each worker's session, in order: one session a device. Needs executionProviders such as [cuda]. */
  devices: z.array(z.number().int().nonnegative()).optional(),
};

interface ParallelOptions {
  readonly cpus?: readonly (number | string)[] | undefined;
  readonly devices?: readonly number[] | undefined;
  readonly microBatches?: number;
  readonly workers?: readonly number[] | undefined;
}

/** Those that are the sessions'. */
export function sessionOptions(parsed: ParallelOptions & object): Record<string, unknown> {
  const { cpus: _cpus, devices: _devices, microBatches: _micro, workers: _workers, ...session } = parsed;
  return session;
}

/** Where worker `i` of `workers` runs, and the options of its sessions. Throws UserError where lists do not fit. */
export function deviceOf(parsed: ParallelOptions, i: number, workers: number): Pick<WorkerSpec, 'options' | 'cpus'> {
  const { cpus, devices } = parsed;
  for (const [place, list] of Object.entries({ cpus, devices }))
    if (list !== undefined && list.length !== workers)
      throw new UserError({
        place,
        found: `[${list}] has ${list.length} entries`,
        allowed: `one for each of the ${workers} workers`,
      });
  return {
    options: { ...sessionOptions(parsed), ...(devices && { deviceId: devices[i] }) },
    cpus: cpus && String(cpus[i]),
  };
}
