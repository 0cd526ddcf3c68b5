import type { Capacity } from '../results/regression/index.js';
import type { RunPlan } from '../results/run.js';
import type { TrialSpec } from './contract.js';
import type { RunSettings } from './plan.js';
import type { PlannedRun } from './prepare.js';

/**
 * A plan once more with its rates as they were: relative rates are of the given capacities, and probes of these are left out.
 * `wanted` picks trials; a probe stays where its capacity is not given.
 */
export function pinned(
  { stored, trials }: PlannedRun,
  capacities: readonly Capacity[],
  command: string,
  wanted: (trial: TrialSpec) => boolean = () => true,
): PlannedRun {
  const known = ({ identity }: TrialSpec) =>
    capacities.some(({ system, transport }) => system === identity.system && transport === identity.transport);
  const kept = trials.filter((trial) => (trial.kind === 'probe' ? !known(trial) : wanted(trial)));
  const numbered = kept.map((trial, order) => ({ ...trial, identity: { ...trial.identity, order } }));
  const settings: RunSettings = { ...(stored.settings as RunSettings), capacities };
  const plan: RunPlan = {
    ...stored,
    command,
    settings,
    trials: numbered.map((trial) => ({ identity: trial.identity, detail: trial })),
  };
  return { stored: plan, trials: numbered };
}
