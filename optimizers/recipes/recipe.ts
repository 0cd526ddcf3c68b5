import type { OnnxModel } from '../onnx/index.js';
import { checkSteps, original, type PassStep, type Variant } from '../optimize.js';
import type { PassContext } from '../passes/index.js';
import { measureLatency } from './latency.js';
import type { RecipeTrail, TrailRow } from './trail.js';
import { attempt, type Court, judged, stepText } from './trial.js';

export interface RecipeOptions {
  /** What a pass that breaks the gate, or refuses the model, does: it is left out, or the recipe ends before it. */
  readonly onBreak: 'drop' | 'end';
  /** Interleaved executions a model, for latency. */
  readonly rounds: number;
  readonly say?: ((line: string) => void) | undefined;
}

/**
 * Applies passes one by one, each on what was kept before, and judges each: cumulative, as in Kim and Hassan, *FastFormers*.
 * Latency is measured at the end, all models interleaved with the reference. Throws UserError where a step is wrong before
 * anything runs.
 */
export async function runRecipe(
  steps: readonly PassStep[],
  court: Court,
  { onBreak, rounds, say }: RecipeOptions,
  context: PassContext,
): Promise<{ readonly variant: Variant; readonly trail: RecipeTrail }> {
  checkSteps(steps);
  const startedAt = performance.now();
  let variant = original(court.reference);
  const reference = await judged(court.reference, court);
  const rows: Omit<TrailRow, 'latency'>[] = [{ passes: [], outcome: 'reference', reason: null, accuracy: reference }];
  const models: (OnnxModel | null)[] = [court.reference];
  const kept: string[] = [];
  for (const step of steps) {
    context.signal?.throwIfAborted();
    say?.(`${stepText(step)} …`);
    const trial = await attempt(variant, step, court, context);
    const passes = [...kept, stepText(step)];
    if ('refused' in trial) {
      rows.push({ passes, outcome: 'refused', reason: trial.refused, accuracy: null });
      models.push(null);
    } else {
      const { accuracy } = trial;
      rows.push({ passes, outcome: accuracy.passes ? 'kept' : 'broke', reason: null, accuracy });
      models.push(trial.model);
      if (accuracy.passes) {
        variant = trial.variant;
        kept.push(stepText(step));
        continue;
      }
    }
    if (onBreak === 'end') break;
  }
  const measured = await measureLatency(models.filter(isModel), court.samples, rounds, context.signal);
  const latencies = measured.values();
  const notes = [
    `Latency: ${rounds} interleaved executions a model of one row on one thread; a pass that broke the gate was measured, too`,
    ...(rows.length <= steps.length ? [`The recipe ended at ${stepText(steps[rows.length - 2]!)}`] : []),
  ];
  return {
    variant,
    trail: {
      schema: 1,
      kind: 'recipe',
      gate: court.gate,
      metric: reference.metric,
      judgedOn: judgedOn(court),
      rows: rows.map((row, i) => ({ ...row, latency: models[i] === null ? null : latencies.next().value! })),
      notes,
      seconds: (performance.now() - startedAt) / 1000,
    },
  };
}

export function judgedOn({ samples, count }: Court): RecipeTrail['judgedOn'] {
  return { name: samples.name, sha256: samples.sha256, count: Math.min(count, samples.totalSampleCount) };
}

function isModel(model: OnnxModel | null): model is OnnxModel {
  return model !== null;
}
