import type { Problem } from '../results/errors.js';
import type { EventLoopFigures } from '../results/monitors/index.js';
import type { DriveJob, DriveProgress, DriveResult } from './job.js';

/** What a load process is told. */
export type ToLoad =
  | {
      readonly kind: 'drive';
      readonly job: DriveJob;
      /** What the process's own server core is made from; only processes that can host one understand it. */
      readonly host?: unknown;
      /** It tells its event loop's figures so often; absent: never. */
      readonly eventLoopMs?: number | undefined;
    }
  /** Answers `ready`: the t = 0 of all load processes, as a reading of the machine's monotonic clock. */
  | { readonly kind: 'start'; readonly originNs: number }
  | { readonly kind: 'abort' };

/** What it tells. `ready`: one of several, warmed up; it waits for `start`. `problems`: the user can mend it (UserError). */
export type FromLoad =
  | DriveProgress
  | DriveResult
  | { readonly kind: 'ready' }
  | { readonly kind: 'eventLoop'; readonly figures: EventLoopFigures }
  | { readonly kind: 'failed'; readonly error: string; readonly problems?: readonly Problem[] | undefined };
