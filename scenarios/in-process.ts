import { loadBody } from '../clients/load-body.js';
import { startServer } from '../servers/server.js';
import type { ServerSpec } from '../servers/spec.js';

/** Load and server core in one process: the baseline without a network. */
loadBody(async (spec, signal) => {
  const server = await startServer(spec as ServerSpec, {}, signal);
  return { service: server.service, model: server.metadata.name, close: () => server.close() };
});
