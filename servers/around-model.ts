import type { HostedModel } from './hosted-model.js';
import { configuredTensors } from './protocol/config.js';
import type { ModelMetadata } from './protocol/index.js';

/** What a model that stands around another one hands on as it is; its interface is its own. */
export function aroundModel(inner: HostedModel, metadata: ModelMetadata): Omit<HostedModel, 'infer' | 'drained'> {
  return {
    name: inner.name,
    version: inner.version,
    metadata,
    config: { ...inner.config, ...configuredTensors(metadata, inner.config.max_batch_size > 0) },
    ready: () => inner.ready(),
    statistics: () => inner.statistics(),
    waiting: () => inner.waiting(),
    stopAccepting: (why) => inner.stopAccepting(why),
    close: () => inner.close(),
  };
}
