import type { InferenceService } from '../protocol/index.js';

/** One model of the repository extension's index; spelt as on the wire. */
export interface ModelIndex {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  readonly reason: string;
}

/** The models that a server has: those it keeps statistics of. */
export function repositoryIndex(service: InferenceService): ModelIndex[] {
  return service.modelStatistics().map(({ name, version }) => ({
    name,
    version,
    state: service.modelReady(name, version) ? 'READY' : 'UNAVAILABLE',
    reason: '',
  }));
}
