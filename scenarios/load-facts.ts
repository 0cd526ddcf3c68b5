import type { LoadSeeds } from '../clients/job.js';
import { type LoadPlan, loadNamed, PRESETS, planLoad } from '../clients/loads/index.js';
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
  const definition = loadNamed(type);
  const parsed = definition.options.parse(options) as Minima & Judged & { rate?: number };
  const openAtOnce = plan.mode === 'open' && plan.latenessExpected;
  const primary = judgedBy(definition.primary, parsed);
  return {
    primary,
    scheduled: plan.mode === 'open' && !openAtOnce,
    latenessExpected: openAtOnce,
    perQuery: plan.mode === 'closed' && plan.perQuery > 1,
    ratePerSecond: plan.mode === 'open' && !openAtOnce ? (parsed.rate ?? null) : null,
    // Under MLPerf's presets the bound is a rule of the test. In a quick comparison an overloaded system is an answer: a target missed.
    latencyBoundNs: primary.metric === 'targetRate' && preset !== 'quick' ? (targets.p99LatencyNs ?? null) : null,
    ...minima(plan, parsed, preset),
    cap: plan.mode === 'open' ? plan.cap : plan.concurrency * plan.perQuery,
  };
}

/** Of load types that are judged by their tail. */
interface Judged {
  readonly percentile?: 'p90' | 'p99' | undefined;
}

function judgedBy(primary: LoadFacts['primary'], { percentile }: Judged): LoadFacts['primary'] {
  if (percentile !== 'p90') return primary;
  return { metric: primary.metric === 'p99Latency' ? 'p90Latency' : primary.metric, percentile: 0.9 };
}

/** Options of those load types that have them. */
interface Minima {
  readonly duration?: number | undefined;
  readonly count?: number | undefined;
  readonly minQueries?: number | undefined;
  readonly offered?: 'exact' | 'drawn' | undefined;
}

/** A load as the load process draws it from the same seeds; with a library of `sampleCount` samples. */
export function planFrom(
  load: { readonly type: string; readonly options: Readonly<Record<string, unknown>> },
  seeds: LoadSeeds,
  preset: Preset,
  sampleCount = 1,
): LoadPlan {
  return planLoad(load.type, load.options, {
    scheduleSeed: BigInt(seeds.schedule),
    sampleSeed: BigInt(seeds.samples),
    librarySeed: seeds.library === undefined ? undefined : BigInt(seeds.library),
    totalSampleCount: sampleCount,
    performanceSampleCount: sampleCount,
    preset,
  });
}

/**
 * Of open loads the schedule itself is as long as asked; what was not sent is the delivery gate's business. Offline's is its
 * samples, and under MLPerf's presets its duration too: a quick run may be worked off sooner than guessed.
 */
function minima(plan: LoadPlan, options: Minima, preset: Preset): Pick<LoadFacts, 'minDurationNs' | 'minQueries'> {
  if (plan.mode === 'closed') return { minDurationNs: plan.minDurationNs, minQueries: plan.minQueries };
  const durationNs = options.duration ?? PRESETS[preset].durationNs;
  if (plan.latenessExpected)
    return { minDurationNs: preset === 'quick' ? 0 : durationNs, minQueries: plan.dueNs.length };
  // Its closed clients go on to its end, its open ones' schedules are exact.
  if (plan.closed) return { minDurationNs: 0, minQueries: 0 };
  // An exact schedule spans its duration by construction, however long its last gap is; a count has no duration.
  const open = options.count === undefined && options.offered !== 'exact';
  return { minDurationNs: open ? durationNs : 0, minQueries: options.minQueries ?? 0 };
}
