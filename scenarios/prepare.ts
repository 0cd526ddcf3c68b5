import { makeVariant } from '../optimizers/make-variant.js';
import { makeDense } from '../optimizers/onnx/dense.js';
import { type Problem, thrownAt, UserError } from '../results/errors.js';
import type { RunPlan } from '../results/run.js';
import { inspectModel, type ModelSpec, resolveModel } from '../servers/models/index.js';
import type { Scenario, SystemSpec, TrialSpec } from './contract.js';
import { checkOneModel, modelsOf } from './load-hosted.js';
import { checkBatching, checkServable, type PlannedModel, planTrials, storedPlan } from './plan.js';
import { requestBytesOf } from './roofline.js';

/** What a run carries out: a stored plan and its trials. */
export interface PlannedRun {
  readonly trials: readonly TrialSpec[];
  readonly stored: RunPlan;
}

export interface PreparedPlan extends PlannedRun {
  /** Of one request, by system (roofline.ts). */
  readonly requestBytes: Readonly<Record<string, number>>;
}

/**
 * Finds and inspects every model of the scenario (in a process that ends again), refuses what can't work, and plans.
 * Throws UserError.
 */
export async function planWithModels(
  scenario: Scenario,
  command: string,
  mode: 'real' | 'simulated' = 'real',
): Promise<PreparedPlan> {
  const placeOf = ({ name }: SystemSpec) => scenario.place(['systems', name.split(' ')[0]!]);
  const every = scenario.systems.flatMap((system) =>
    modelsOf(system).map(({ model }) => ({ model, place: placeOf(system) })),
  );
  await makeVariants([{ model: scenario.model, place: scenario.place(['model']) }, ...every]);
  if (mode === 'simulated') checkOneModel(scenario.systems, placeOf);
  const models = new Map<string, PlannedModel>();
  for (const { model, place } of [{ model: scenario.model, place: scenario.place(['model']) }, ...every]) {
    const key = JSON.stringify(model);
    if (!models.has(key)) models.set(key, await inspected(model, place));
  }
  const metadataOf = (model: ModelSpec) => models.get(JSON.stringify(model))!.metadata;
  if (mode === 'real') checkServable(scenario, metadataOf);
  checkBatching(scenario, metadataOf);
  const trials = planTrials(scenario, mode);
  const requestBytes = Object.fromEntries(
    scenario.systems.map(({ name, model }) => [
      name,
      requestBytesOf(models.get(JSON.stringify(model))!.metadata.inputs),
    ]),
  );
  const main = models.get(JSON.stringify(scenario.model))!.resolved;
  const planned = (system: SystemSpec) => models.get(JSON.stringify(system.model))!.resolved;
  return { trials, stored: storedPlan(scenario, trials, main, command, requestBytes, planned), requestBytes };
}

/** The model found and looked at; what is wrong with its file is told with the place that names it. */
async function inspected(model: ModelSpec, place: string): Promise<PlannedModel> {
  try {
    const resolved = await resolveModel(model);
    return { resolved, metadata: await inspectModel(resolved) };
  } catch (error) {
    throw thrownAt(place, error);
  }
}

/** Makes what is not there of the models that are generated or that passes make. Throws UserError with every pass's refusal, before anything starts. */
export async function makeVariants(
  systems: readonly { readonly model: ModelSpec; readonly place: string }[],
  signal?: AbortSignal,
): Promise<void> {
  const problems: Problem[] = [];
  const done = new Set<string>();
  for (const { model, place } of systems) {
    generate(model);
    if (!('path' in model) || !model.made || done.has(model.path)) continue;
    done.add(model.path);
    try {
      await makeVariant(model.path, model.made, place, signal);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
}

function generate(model: ModelSpec): void {
  if (!('path' in model)) return;
  if (model.dense) makeDense(model.dense, model.path);
  if (model.made) generate(model.made.parent);
}
