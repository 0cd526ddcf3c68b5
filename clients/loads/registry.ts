import { checked, lookUp } from '../../results/lookup.js';
import { clients } from './clients.js';
import { closed } from './closed.js';
import type { LoadContext, LoadDefinition, LoadPlan } from './contract.js';
import { multiStream } from './multi-stream.js';
import { offline } from './offline.js';
import { open } from './open.js';
import { server } from './server.js';
import { sessions } from './sessions.js';
import { singleStream } from './single-stream.js';

/** Every load type. One import and one line per addition. */
export const loads = [
  singleStream, // MLPerf: latency of one request at a time
  multiStream, // MLPerf: latency of eight at a time
  server, // MLPerf: Poisson arrivals
  offline, // MLPerf: throughput
  open, // any arrival process
  closed, // a fixed concurrency
  sessions, // dependent requests
  clients, // several at once, open and closed
] as const satisfies readonly LoadDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function loadNamed(name: string, place = 'load.type'): LoadDefinition {
  return lookUp<LoadDefinition>(loads, name, 'load type', place);
}

/** Everything that load will do. Throws UserError where the name or an option is wrong. */
export function planLoad(name: string, options: unknown, context: LoadContext, place = 'load'): LoadPlan {
  const definition = loadNamed(name, `${place}.type`);
  return definition.plan(checked(definition.options, options ?? {}, place), context);
}
