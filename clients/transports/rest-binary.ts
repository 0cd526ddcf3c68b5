import type { TransportDefinition } from './contract.js';
import { http1Engine } from './http1-engine.js';
import { RestTransport } from './rest-transport.js';

/** KServe v2 REST with the binary tensor extension, both ways. */
export const restBinary = {
  name: 'rest-binary',
  summary: 'HTTP/1.1 with raw tensors behind a JSON header (binary tensor extension)',
  endpoint: 'rest',
  create: (options) => new RestTransport(options, true, http1Engine(options)),
} as const satisfies TransportDefinition;
