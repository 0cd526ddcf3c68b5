import { scheduleSha256 } from '../clients/schedule.js';
import { writeRecords } from '../results/arrow.js';
import { messageOf } from '../results/errors.js';
import type { RunStore } from '../results/store.js';
import { summarise } from '../results/summarise.js';
import type { TrialOutcome } from '../results/summary.js';
import { inspectModel, resolveModel } from '../servers/models/index.js';
import type { TrialSpec } from './contract.js';
import { isFleet } from './gateway-system.js';
import { loadFacts, planFrom } from './load-facts.js';
import { measuredOverhead } from './overhead.js';
import type { Profiles } from './profiling.js';
import { type SimulatedModel, simulateTrial } from './simulated.js';
import { resolveRate, type TrialContext, targetsOf } from './trial.js';

/** How many samples a simulated load draws from: their content has no part in it. */
const SAMPLES = 10_000;

/** A trial in virtual time: same strategy, same schedule, same records and summary; marked as simulated. */
export async function simulateOutcome(
  spec: TrialSpec,
  context: TrialContext,
  store: RunStore,
  profiles: Profiles,
): Promise<TrialOutcome> {
  const load = resolveRate(spec, context);
  if (typeof load === 'string') return { state: 'skipped', trial: spec.identity, reason: load };
  if (spec.kind === 'accuracy')
    return { state: 'skipped', trial: spec.identity, reason: 'virtual time computes no answers to judge' };
  if (spec.system.external)
    return { state: 'skipped', trial: spec.identity, reason: 'an external server has no strategy to simulate' };
  if (isFleet(spec.system))
    return {
      state: 'skipped',
      trial: spec.identity,
      reason: 'replicas behind a gateway are simulated by `servemark simulate --fleet`',
    };
  try {
    return await simulateFacts(spec, load, context, store, profiles);
  } catch (error) {
    return { state: 'failed', trial: spec.identity, error: messageOf(error), lastLines: [] };
  }
}

/** Of the models that share the instances: what they cost, and into how many stages they are cut. */
async function sharedModels({ system }: TrialSpec, profiles: Profiles): Promise<SimulatedModel[]> {
  const models: SimulatedModel[] = [];
  for (const { modelName, model } of system.sharing ?? []) {
    const { stages } = await inspectModel(await resolveModel(model));
    models.push({ name: modelName, cost: await profiles.virtual(model), stages: stages ?? 1 });
  }
  return models;
}

async function simulateFacts(
  spec: TrialSpec,
  load: { type: string; options: Record<string, unknown> },
  context: TrialContext,
  store: RunStore,
  profiles: Profiles,
): Promise<TrialOutcome> {
  const table = await profiles.virtual(spec.system.model);
  const startedAt = new Date().toISOString();
  const plan = planFrom(load, spec.seeds, context.preset, SAMPLES);
  const overhead = measuredOverhead(store.folder, spec, table);
  const simulated = simulateTrial(spec.system, plan, table, overhead, await sharedModels(spec, profiles));
  writeRecords(store.recordsPath(spec.identity.id), simulated.records, { trial: spec.identity.id, simulated: 'true' });
  const summary = summarise({
    identity: spec.identity,
    records: simulated.records,
    drive: {
      startedAt,
      durationNs: simulated.durationNs,
      offered: plan.mode === 'open' && !plan.closed ? plan.dueNs.length : simulated.records.length,
      scheduleSha256: scheduleSha256(plan),
      arrivals: null,
      clockDrift: 0,
      stoppedEarly: null,
      cpu: { userSeconds: 0, systemSeconds: 0 },
    },
    load: loadFacts(load.type, load.options, plan, context.preset, context.targets),
    processes: [],
    targets: targetsOf(spec, context),
    seed: context.bootstrapSeed,
    scheduleSeed: spec.seeds.schedule,
  });
  // No process ran: there is no CPU time to report, not a CPU time of 0.
  return { state: 'completed', summary: { ...summary, processes: [] } };
}
