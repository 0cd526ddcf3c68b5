import type { Scenario, SystemSpec, TrialSpec } from '../contract.js';
import { planTrials } from '../plan.js';
import type { TuneSpec } from './spec.js';

/** Trials of a system under the tuned load; with what they need before: a probe of the system that a rate is relative to. */
export function trialsFor(
  scenario: Scenario,
  spec: TuneSpec,
  systems: readonly SystemSpec[],
  repeats: number,
  accuracy = false,
): TrialSpec[] {
  const { load, transport } = spec;
  const all = uniqueSystems([...scenario.systems, ...systems]);
  const names = new Set(systems.map(({ name }) => name));
  return planTrials({
    ...scenario,
    systems: all,
    loads: [load],
    transports: [transport],
    repeats,
    accuracy,
    simulate: false,
  }).filter(({ kind, identity }) => kind === 'probe' || names.has(identity.system));
}

/** The systems, each name once. */
export function uniqueSystems(systems: readonly SystemSpec[]): SystemSpec[] {
  return [...new Map(systems.map((system) => [system.name, system])).values()];
}
