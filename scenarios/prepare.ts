import type { RunPlan } from '../results/run.js';
import { inspectModel, resolveModel } from '../servers/models/index.js';
import type { Scenario, TrialSpec } from './contract.js';
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
  const models = new Map<string, PlannedModel>();
  for (const spec of [scenario.model, ...scenario.systems.map((system) => system.model)]) {
    const key = JSON.stringify(spec);
    if (models.has(key)) continue;
    const resolved = await resolveModel(spec);
    models.set(key, { resolved, metadata: await inspectModel(resolved) });
  }
  if (mode === 'real') checkServable(scenario);
  checkBatching(scenario, (system) => models.get(JSON.stringify(system.model))!.metadata);
  const trials = planTrials(scenario, mode);
  const requestBytes = Object.fromEntries(
    scenario.systems.map(({ name, model }) => [
      name,
      requestBytesOf(models.get(JSON.stringify(model))!.metadata.inputs),
    ]),
  );
  const main = models.get(JSON.stringify(scenario.model))!.resolved;
  return { trials, stored: storedPlan(scenario, trials, main, command, requestBytes), requestBytes };
}
