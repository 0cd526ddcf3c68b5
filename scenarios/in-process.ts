import { loadBody } from '../clients/load-body.js';
import { lastWords } from '../results/errors.js';
import { startServer } from '../servers/server.js';
import type { ServerSpec } from '../servers/spec.js';

// A strategy that throws ends the process: what it threw is the last that is heard of it, after where.
process.on('uncaughtException', (error) => {
  process.stderr.write(lastWords(error), () => process.exit(1));
});

/** Load and server core in one process: the baseline without a network. */
loadBody(async (spec, signal) => {
  const server = await startServer(spec as ServerSpec, {}, signal);
  return { service: server.service, model: server.metadata.name, close: () => server.close() };
});
