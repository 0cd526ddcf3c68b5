import type { TransportDefinition } from './contract.js';
import { RestTransport } from './rest-transport.js';
import { undiciEngine } from './undici-engine.js';

/** rest-binary over undici: what other clients in Node do, and a check on our own engine. */
export const restUndici = {
  name: 'rest-undici',
  summary: 'as rest-binary, through the library undici: a second opinion on our engine',
  endpoint: 'rest',
  create: (options) => new RestTransport(options, true, undiciEngine(options)),
} as const satisfies TransportDefinition;
