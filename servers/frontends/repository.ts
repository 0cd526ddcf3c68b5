import { ProtocolError } from '../protocol/errors.js';
import type { InferenceService, ModelIndex, ModelRepository } from '../protocol/index.js';

/** The models of a server; of one without a repository those that it keeps statistics of. */
export function repositoryIndex(service: InferenceService, readyOnly: boolean): readonly ModelIndex[] {
  if (service.repository) return service.repository.index(readyOnly);
  const all = service.modelStatistics().map(({ name, version }) => ({
    name,
    version,
    state: service.modelReady(name, version) ? ('READY' as const) : ('UNAVAILABLE' as const),
    reason: '',
  }));
  return readyOnly ? all.filter(({ state }) => state === 'READY') : all;
}

/** Throws UNAVAILABLE where the server's models are fixed. */
export function repositoryOf(service: InferenceService): ModelRepository {
  if (service.repository) return service.repository;
  throw new ProtocolError(
    'UNAVAILABLE',
    'the models of this server are fixed; start it with --repository DIR --model-control explicit',
  );
}
