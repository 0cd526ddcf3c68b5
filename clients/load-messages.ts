import type { Problem } from '../results/errors.js';
import type { DriveJob, DriveProgress, DriveResult } from './job.js';

/** What a load process is told. */
export type ToLoad =
  | {
      readonly kind: 'drive';
      readonly job: DriveJob;
      /** What the process's own server core is made from; only processes that can host one understand it. */
      readonly host?: unknown;
    }
  | { readonly kind: 'abort' };

/** What it tells. `problems`: the user can mend it (UserError). */
export type FromLoad =
  | DriveProgress
  | DriveResult
  | { readonly kind: 'failed'; readonly error: string; readonly problems?: readonly Problem[] | undefined };
