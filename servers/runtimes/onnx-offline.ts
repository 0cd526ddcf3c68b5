import { messageOf, UserError } from '../../results/errors.js';

export type OptimizationLevel = 'basic' | 'extended' | 'layout' | 'all';

/**
 * Has ONNX Runtime optimise the model at `path` and save the graph that it would run as `target`. From `extended` on the
 * graph holds operators of its own; `layout` and `all` are made for this machine's CPU. Throws UserError where it cannot
 * load the model.
 */
export async function saveOptimized(path: string, target: string, level: OptimizationLevel): Promise<void> {
  const ort = await import('onnxruntime-node');
  try {
    const session = await ort.InferenceSession.create(path, {
      graphOptimizationLevel: level,
      optimizedModelFilePath: target,
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      // Warns of every graph that is made for one machine.
      logSeverityLevel: 3,
    });
    await session.release();
  } catch (error) {
    throw new UserError(
      { place: path, found: `ONNX Runtime cannot optimise it: ${messageOf(error).trim().split('\n')[0]}` },
      { cause: error },
    );
  }
}
