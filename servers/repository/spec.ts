import type { InstanceEvents, Isolation } from '../executors/index.js';
import type { Shared } from '../executors/real.js';
import type { SwapPolicy } from './swap.js';

/** A folder of models, as plain data. */
export interface RepositorySpec {
  readonly root: string;
  /** `none`: all, at start; `poll`: as the folder says from time to time; `explicit`: as the API says. */
  readonly control: 'none' | 'poll' | 'explicit';
  /** `explicit`: what to load at start; `*`: all. */
  readonly load?: readonly string[] | undefined;
  /** Between two looks at the folder; default 2 s. */
  readonly pollMs?: number | undefined;
  /** Default `availability`: a new version is ready before the old one goes. */
  readonly swap?: SwapPolicy | undefined;
  readonly isolation?: Isolation | undefined;
}

export interface RepositoryContext {
  readonly events?: Partial<InstanceEvents> | undefined;
  /** One line about what happened: a model is ready, is gone, does not load. */
  event(text: string): void;
  readonly shared: Shared;
  readonly signal?: AbortSignal | undefined;
}
