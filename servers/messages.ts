import type { Problem } from '../results/errors.js';
import type { EventLoopFigures } from '../results/monitors/index.js';
import type { ModelMetadata, ModelStatistics } from './protocol/index.js';
import type { ServerSpec, ServerUsage } from './spec.js';

/** What the parent tells a server process. `n` comes back with the answer. */
export type ToServer =
  | {
      readonly kind: 'start';
      readonly spec: ServerSpec;
      /** It tells its event loop's figures so often, once it answers; absent: never. */
      readonly eventLoopMs?: number | undefined;
    }
  | { readonly kind: 'statistics' | 'usage'; readonly n: number }
  /** Drain, and exit with 0. */
  | { readonly kind: 'stop' };

/** What is known of a server that answers. */
export interface ServerInfo {
  readonly pid: number;
  /** Frontend name → address. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly metadata: ModelMetadata;
  readonly model: {
    readonly path: string | null;
    readonly sha256: string | null;
    readonly provenance: string;
    readonly runtime: string;
    readonly providers: readonly string[];
  };
}

export type FromServer =
  | { readonly kind: 'ready'; readonly info: ServerInfo }
  | { readonly kind: 'failed'; readonly error: string; readonly problems: readonly Problem[] | null }
  | { readonly kind: 'statistics'; readonly n: number; readonly statistics: readonly ModelStatistics[] }
  | { readonly kind: 'usage'; readonly n: number; readonly usage: ServerUsage }
  | { readonly kind: 'eventLoop'; readonly figures: EventLoopFigures }
  /** Something unusual, in one line: an instance died or is back. */
  | { readonly kind: 'event'; readonly text: string };
