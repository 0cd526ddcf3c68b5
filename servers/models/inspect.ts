import { startInstance } from '../executors/start-instance.js';
import type { RuntimeMetadata } from '../runtimes/index.js';
import type { ResolvedModel } from './contract.js';

/**
 * A model's inputs and outputs, from loading it once in a worker that ends afterwards; on the CPU, whatever it is to be executed
 * on: they are the same there, and a plan can be made on a machine that lacks the device. Throws UserError where it cannot be
 * loaded.
 */
export async function inspectModel(model: ResolvedModel): Promise<RuntimeMetadata> {
  const instance = startInstance({
    id: 0,
    runtime: model.runtime,
    runtimeOptions: onCpu(model.runtimeOptions),
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

function onCpu(options: ResolvedModel['runtimeOptions']): ResolvedModel['runtimeOptions'] {
  return options.executionProviders === undefined ? options : { ...options, executionProviders: ['cpu'] };
}
