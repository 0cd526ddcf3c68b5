import { lookUp } from '../../results/lookup.js';
import { autocannon } from './autocannon.js';
import type { ExternalTool } from './contract.js';
import { ghz } from './ghz.js';
import { h2load } from './h2load.js';
import { hey } from './hey.js';
import { k6 } from './k6.js';
import { vegeta } from './vegeta.js';
import { wrk } from './wrk.js';

/** Every second opinion: first open loops, then closed ones. One import and one line per addition. */
export const externalTools = [k6, vegeta, ghz, autocannon, hey, h2load, wrk] as const satisfies readonly ExternalTool[];

/** The tool of that name. Throws UserError that lists all names. */
export function externalTool(name: string, place = 'tool'): ExternalTool {
  return lookUp<ExternalTool>(externalTools, name, 'external tool', place);
}
