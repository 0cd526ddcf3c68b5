import type { z } from 'zod';
import type { HostedModel } from '../hosted-model.js';
import type { LoadedModel } from '../load-model.js';
import type { ServedModelSpec } from '../spec.js';

/** A model by the name that it has on this server. */
export type NamedModel = ServedModelSpec & { readonly modelName: string };

/** What a front works with. */
export interface FrontContext {
  /** For messages. */
  readonly place: string;
  /** What it chooses among, or holds; at least one, different names. */
  readonly models: readonly NamedModel[];
  /** Takes its time. Throws UserError. */
  load(spec: ServedModelSpec): Promise<LoadedModel>;
  event(text: string): void;
}

/** What stands before the models of a server, and is what clients see. */
export interface Front {
  /** Closing one of them closes what it stands before. */
  readonly models: readonly HostedModel[];
  /** A model that is or was loaded, for what is told of the server. */
  readonly first: LoadedModel;
  /** What is loaded now. */
  loaded(): readonly LoadedModel[];
}

/**
 * Feeds one controller with what happens on a real server, and carries out what it decides: which model answers, what is
 * loaded. The controller is pure (servers/controllers); clock, timers and draws are the front's.
 */
export interface FrontDefinition<Options extends z.ZodType = z.ZodType> {
  /** Its controller's name. */
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  start(options: z.output<Options>, context: FrontContext): Promise<Front>;
}

/** Fixes the type of the options without writing it twice. */
export function defineFront<Options extends z.ZodType>(definition: FrontDefinition<Options>): FrontDefinition<Options> {
  return definition;
}
