import { startInstance } from '../executors/start-instance.js';
import type { RuntimeMetadata } from '../runtimes/index.js';
import type { ResolvedModel } from './contract.js';

/**
 * A model's inputs and outputs, from loading it once in a worker that ends afterwards. Throws UserError where it cannot be
 * loaded.
 */
export async function inspectModel(model: ResolvedModel): Promise<RuntimeMetadata> {
  const instance = startInstance({
    id: 0,
    runtime: model.runtime,
    runtimeOptions: model.runtimeOptions,
    modelPath: model.path,
    isolation: 'thread',
    warmUpExecutions: 0,
  });
  try {
    return await instance.started;
  } finally {
    await instance.close();
  }
}
