import type { TransportDefinition } from './contract.js';
import { http1Engine } from './http1-engine.js';
import { RestTransport } from './rest-transport.js';

/** KServe v2 REST with tensors as JSON numbers, both ways. */
export const rest = {
  name: 'rest',
  summary: 'HTTP/1.1 with tensors as JSON numbers',
  endpoint: 'rest',
  create: (options) => new RestTransport(options, false, http1Engine(options)),
} as const satisfies TransportDefinition;
