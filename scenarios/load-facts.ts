import type { LoadPlan } from '../clients/loads/contract.js';
import { PRESETS } from '../clients/loads/presets.js';
import { loads } from '../clients/loads/registry.js';
import type { LoadFacts } from '../results/facts.js';
import type { Preset, Targets } from './contract.js';

/** How the judge is to read a load: its plan's shape and its own minima, as data. */
export function loadFacts(
  type: string,
  options: Readonly<Record<string, unknown>>,
  plan: LoadPlan,
  preset: Preset,
  targets: Targets,
): LoadFacts {
  const definition = loads.find((each) => each.name === type)!;
  const parsed = definition.options.parse(options) as {
    duration?: number | undefined;
    count?: number | undefined;
    rate?: number;
  };
  const openAtOnce = plan.mode === 'open' && plan.latenessExpected;
  const { primary } = definition;
  return {
    primary,
    scheduled: plan.mode === 'open' && !openAtOnce,
    latenessExpected: openAtOnce,
    perQuery: plan.mode === 'closed' && plan.perQuery > 1,
    ratePerSecond: plan.mode === 'open' && !openAtOnce ? (parsed.rate ?? null) : null,
    latencyBoundNs: primary.metric === 'targetRate' ? (targets.p99LatencyNs ?? null) : null,
    minDurationNs:
      plan.mode === 'closed'
        ? plan.minDurationNs
        : parsed.count !== undefined
          ? 0
          : (parsed.duration ?? PRESETS[preset].durationNs),
    minQueries: plan.mode === 'closed' ? plan.minQueries : plan.dueNs.length,
    cap: plan.mode === 'open' ? plan.cap : plan.concurrency * plan.perQuery,
  };
}
