import { join } from 'node:path';
import { forkLoad } from '../clients/load-handle.js';
import { transportNamed } from '../clients/transports/index.js';
import { captureEnvironment } from '../results/capture.js';
import { UserError } from '../results/errors.js';
import { writeJsonAtomic } from '../results/files.js';
import { createRun, type RunStore } from '../results/store.js';
import type { TrialSummary } from '../results/summary.js';
import { formatDuration } from '../results/units.js';
import { forkServer } from '../servers/server-handle.js';
import type { LoadSpec, Scenario, TrialSpec } from './contract.js';
import { findPeak, type Peak, type PeakProbe, type PeakSettings } from './peak.js';
import { type ProbeSettings, probeJob, probeRate } from './peak-probe.js';
import type { RunSettings } from './plan.js';
import { planWithModels } from './prepare.js';
import { Profiles } from './profiling.js';
import { serverSpec } from './session.js';
import { runTrial, type TrialContext } from './trial.js';

export interface FindPeakOptions {
  readonly boundNs: number;
  /** Longest time of one probe, and length of the trial that confirms. */
  readonly durationNs: number;
  readonly precision: number;
  readonly maxProbes: number;
  readonly command: string;
  readonly resultsRoot: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PeakEvent) => void;
}

export type PeakEvent =
  | { readonly kind: 'cell'; readonly spec: TrialSpec; readonly capacity: number }
  | { readonly kind: 'probe'; readonly spec: TrialSpec; readonly number: number; readonly probe: PeakProbe }
  | { readonly kind: 'note'; readonly text: string };

/** One system over one transport. */
export interface CellPeak {
  readonly system: string;
  readonly transport: string;
  readonly peak: Peak;
  /** The trial at the interval's lower end, with every gate; null where there was none. */
  readonly confirmed: TrialSummary | null;
}

export interface FoundPeaks {
  readonly folder: string;
  readonly cells: readonly CellPeak[];
  readonly interrupted: boolean;
}

const PEAK_SCHEMA = 1;
const LEVEL = 0.9;
/** The search goes from this share of a closed loop's throughput … */
const LOWEST = 0.1;
/** … to this one: eight in flight rarely show all that a batching server can do. */
const HIGHEST = 4;

/**
 * For every system and transport of a scenario: the highest rate of Poisson arrivals whose p99 stays within the bound, as an
 * interval, and one full trial at its lower end. Writes a run folder with that trial and `peak.json`. Throws UserError.
 */
export async function findPeaks(scenario: Scenario, options: FindPeakOptions): Promise<FoundPeaks> {
  const prepared = await planWithModels(peakScenario(scenario, options), options.command);
  const { settings, ...stored } = prepared.stored;
  const store = createRun(options.resultsRoot, stored, captureEnvironment());
  const profiles = new Profiles(store.folder, options.signal, (text) => options.onEvent({ kind: 'note', text }));
  const context: TrialContext = {
    ...(settings as RunSettings),
    bootstrapSeed: BigInt((settings as RunSettings).bootstrapSeed),
    capacity: () => undefined,
    profile: (model) => profiles.find(model),
    onProgress: () => {},
    onEvent: (text) => options.onEvent({ kind: 'note', text }),
  };
  const cells: CellPeak[] = [];
  for (const spec of prepared.trials) {
    if (options.signal.aborted) break;
    await profiles.prepare(spec.system);
    cells.push(await peakOf(spec, context, store, options));
    writeJsonAtomic(join(store.folder, 'peak.json'), fileOf(cells, options), 'the peaks found so far');
  }
  const interrupted = options.signal.aborted;
  store.finish(interrupted ? 'interrupted' : 'completed');
  return { folder: store.folder, cells, interrupted };
}

/** One load, whose rate is still to be found. */
function peakScenario(scenario: Scenario, { boundNs, durationNs }: FindPeakOptions): Scenario {
  const over = scenario.transports.filter((transport) => transportNamed(transport).endpoint !== 'none');
  if (over.length === 0)
    throw new UserError({
      place: scenario.place(['transports']),
      found: 'only in-process, where load and server share one processor',
      allowed: 'rest, rest-binary or grpc',
    });
  const load: LoadSpec = {
    name: 'peak',
    summary: `server, the highest rate whose p99 stays within ${formatDuration(boundNs)}`,
    type: 'server',
    options: { duration: durationNs },
  };
  const targets = { p99LatencyNs: boundNs, errorRate: scenario.targets.errorRate ?? 0.001 };
  return { ...scenario, loads: [load], transports: over, targets, repeats: 1, accuracy: false, simulate: false };
}

async function peakOf(
  spec: TrialSpec,
  context: TrialContext,
  store: RunStore,
  options: FindPeakOptions,
): Promise<CellPeak> {
  const { system, transport } = spec.identity;
  const peak = await search(spec, context, store, options);
  if (peak.ended === 'interrupted') return { system, transport, peak, confirmed: null };
  const rate = peak.low;
  const confirming = { ...spec, load: { ...spec.load, options: { ...spec.load.options, rate } } };
  try {
    const outcome = await runTrial(confirming, context, store, options.signal);
    store.writeOutcome(outcome);
    return { system, transport, peak, confirmed: outcome.state === 'completed' ? outcome.summary : null };
  } catch (error) {
    if (!options.signal.aborted) throw error;
    return { system, transport, peak: { ...peak, ended: 'interrupted' }, confirmed: null };
  }
}

/** One server for all probes of a cell. */
async function search(
  spec: TrialSpec,
  context: TrialContext,
  store: RunStore,
  options: FindPeakOptions,
): Promise<Peak> {
  const { signal } = options;
  const { endpoint } = transportNamed(spec.identity.transport);
  const server = await forkServer(serverSpec(spec, context, { [endpoint]: { port: 0 } }), {
    signal,
    onEvent: context.onEvent,
  });
  const probing: ProbeSettings = {
    ...{ spec, context, server, signal, url: server.addresses[endpoint]! },
    ...{ boundNs: options.boundNs, durationNs: options.durationNs, folder: join(store.folder, 'probes') },
  };
  try {
    const capacity = await closedLoop(probing);
    options.onEvent({ kind: 'cell', spec, capacity });
    const settings: PeakSettings = {
      ...{ low: LOWEST * capacity, high: HIGHEST * capacity, level: LEVEL },
      ...{ precision: options.precision, maxProbes: options.maxProbes },
    };
    return await findPeak(settings, async (rate, number, test) => {
      const probe = await probeRate(probing, rate, number, test);
      if (probe) options.onEvent({ kind: 'probe', spec, number, probe });
      return probe;
    });
  } finally {
    await server.stop();
  }
}

/** Throughput of a closed loop, eight in flight, for a second: a first idea of where to look. */
async function closedLoop(probing: ProbeSettings): Promise<number> {
  const load = { type: 'closed', options: { concurrency: 8, duration: 1e9 }, preset: 'quick' as const };
  const result = await forkLoad(probeJob(probing, load, 0), {
    signal: probing.signal,
    cpus: probing.spec.system.loadCpus,
  });
  return Math.max(1, result.offered / (result.durationNs / 1e9));
}

function fileOf(cells: readonly CellPeak[], { boundNs, durationNs, command }: FindPeakOptions): object {
  const shown = cells.map(({ confirmed, ...cell }) => ({
    ...cell,
    confirmed: confirmed && { trial: confirmed.trial.id, verdict: confirmed.verdict },
  }));
  return { schema: PEAK_SCHEMA, command, boundNs, durationNs, cells: shown };
}
