import { loadBody } from '../clients/load-body.js';
import { endWithLastWords } from '../results/errors.js';
import { startServer } from '../servers/server.js';
import type { ServerSpec } from '../servers/spec.js';

// A strategy that throws ends the process.
endWithLastWords();

/** Load and server core in one process: the baseline without a network. */
loadBody(async (spec, signal) => {
  const server = await startServer(spec as ServerSpec, {}, signal);
  return { service: server.service, model: server.metadata.name, close: () => server.close() };
});
