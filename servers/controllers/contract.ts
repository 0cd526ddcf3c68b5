import type { z } from 'zod';

/** A pure machine that answers inputs one after the other: a router, an autoscaler, a cache, an arithmetic. */
export interface Controller {
  /** One input, as in a conformance vector's `steps`; answers a plain JSON value. */
  step(input: Readonly<Record<string, unknown>>): unknown;
}

export interface ControllerDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: Options;
  create(options: z.output<Options>): Controller;
}

/** Fixes the type of the options without writing it twice. */
export function defineController<Options extends z.ZodType>(
  definition: ControllerDefinition<Options>,
): ControllerDefinition<Options> {
  return definition;
}
