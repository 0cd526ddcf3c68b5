import { accuracyMetricNamed } from './accuracy/index.js';
import { arrivalSummary } from './arrival-law.js';
import { backlogSummary } from './backlog.js';
import type { Roofline } from './calibration.js';
import { componentSummaries } from './components.js';
import { energyUsage } from './energy.js';
import type { LoadFacts, ServerCounters, TrialFacts } from './facts.js';
import type { GateInput } from './gates/index.js';
import { usedPerSecond } from './gates/roofline.js';
import { gatewaySummary } from './gateway.js';
import { inputSummary } from './inputs.js';
import { busyTime, executionsBySize } from './metrics/executions.js';
import type { MetricValue } from './metrics/index.js';
import { metric } from './metrics/index.js';
import { offeredRate } from './metrics/offered-rate.js';
import { goodput, sampleThroughput, throughput } from './metrics/throughput.js';
import { summariseReadings } from './readings-summary.js';
import { OUTCOMES, UNKNOWN } from './record.js';
import { servedSummary } from './served.js';
import { earlyStoppingEstimate, meanInterval, percentileInterval } from './stats/index.js';
import { ascending, distribution, PERCENTILES, type PercentileName } from './stats/percentile.js';
import { type Interval, type ProcessUsage, SUMMARY_SCHEMA, type TrialSummary, type Verdict } from './summary.js';
import { tenantSummaries } from './tenants.js';
import { judge } from './verdict.js';
import { type MeasuredWindow, measuredWindow } from './window.js';

/** What one trial measured and what it means, from its records and facts. Pure: the same facts give the same summary. */
export function summarise(facts: TrialFacts): TrialSummary {
  const { drive, identity, load, records, targets } = facts;
  const window = measuredWindow(records, {
    durationNs: drive.durationNs,
    scheduled: load.scheduled,
    perQuery: load.perQuery,
    p99LatencyNs: targets.p99LatencyNs,
  });
  const counts = countsOf(window, drive.offered);
  const errors = errorsOf(window);
  const accuracy = accuracyOf(window, facts.accuracyMetric ?? 'top-1', facts.seed);
  const sortedLatenessNs = latenesses(window);
  const referee = {
    arrivals: arrivalSummary(window, load),
    backlog: backlogSummary(window),
    inputs: inputSummary(window, facts),
  };
  const gateway = facts.gateway && gatewaySummary(facts.gateway);
  const limit = facts.roofline;
  const input = {
    ...{
      trial: identity,
      roofline: limit,
      gateway,
      load,
      drive,
      targets,
      window,
      counts,
      errors,
      accuracy,
      sortedLatenessNs,
      ...referee,
    },
    queries: queriesOf(window, load),
  };
  const verdict = judge(input);
  const rate = throughput.compute(window).value;
  const interval = rate === null ? undefined : rateInterval(window, rate, facts.seed);
  const served = servedSummary(window, drive.durationNs, facts.statistics?.before, facts.statistics?.after);
  const { components, closure, closureWithoutNetwork } = componentSummaries(records, window.rows);
  return {
    schema: SUMMARY_SCHEMA,
    trial: identity,
    startedAt: drive.startedAt,
    durationNs: drive.durationNs,
    counts,
    errors,
    latencyNs: distribution(window.sortedLatencyNs, percentileIntervals(window, facts.seed)),
    sendLatencyNs: distribution(sendLatencies(window)),
    latenessNs: distribution(sortedLatenessNs),
    offeredPerSecond: offeredRate.compute(window).value,
    throughputPerSecond: rate,
    ...(interval ? { throughputInterval: interval } : {}),
    goodputPerSecond: goodput.compute(window).value,
    primary: primaryOf(facts, window, verdict),
    components,
    closure,
    closureWithoutNetwork,
    ...batchesOf(window, facts.statistics),
    busyNs: busyTime(window),
    ...partsOf(facts.statistics),
    processes: withLoadProcess(facts),
    ...readOf(facts, counts.ok),
    accuracy,
    ...referee,
    ...(records.tenants.length > 1 ? { tenants: tenantSummaries(window, drive.durationNs) } : {}),
    ...(served ? { served } : {}),
    ...(gateway ? { gateway } : {}),
    ...(facts.drive.scheduling ? { loadScheduling: facts.drive.scheduling } : {}),
    ...(limit ? { roofline: rooflineUse(limit, input) } : {}),
    schedule: { sha256: drive.scheduleSha256, arrivals: drive.arrivals, seed: facts.scheduleSeed },
    verdict,
  };
}

function rooflineUse(limit: Roofline, input: GateInput): TrialSummary['roofline'] {
  if (limit.perSecond === null) return limit;
  return { perSecond: limit.perSecond, usedPerSecond: usedPerSecond(input), processes: limit.processes };
}

const CODE = Object.fromEntries(OUTCOMES.map((name, code) => [name, code])) as Record<
  (typeof OUTCOMES)[number],
  number
>;

function countsOf({ records, measured, rows }: MeasuredWindow, offered: number): TrialSummary['counts'] {
  const byOutcome = new Uint32Array(OUTCOMES.length);
  let issued = 0;
  for (const row of measured) {
    if (Number.isNaN(records.issuedNs[row]!)) continue;
    issued++;
    byOutcome[records.outcome[row]!]!++;
  }
  let warmUp = 0;
  for (let row = 0; row < records.length; row++) warmUp += records.warmUp[row]!;
  const { rejected, failed, timedOut, cancelled } = CODE;
  return {
    offered,
    issued,
    ok: rows.length,
    rejected: byOutcome[rejected]!,
    failed: byOutcome[failed]!,
    timedOut: byOutcome[timedOut]!,
    cancelled: byOutcome[cancelled]!,
    warmUp,
    samples: rows.reduce((sum, row) => sum + records.rows[row]!, 0),
  };
}

/** Error code → count; the outcome's name where there is no code. Requests that were never issued are no errors. */
function errorsOf({ records, measured }: MeasuredWindow): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const row of measured) {
    const outcome = records.outcome[row]!;
    if (outcome === CODE.ok || Number.isNaN(records.issuedNs[row]!)) continue;
    const code = records.errorCodes[records.error[row]!] || OUTCOMES[outcome]!;
    errors[code] = (errors[code] ?? 0) + 1;
  }
  return errors;
}

function accuracyOf({ records, rows }: MeasuredWindow, name: string, seed: bigint): TrialSummary['accuracy'] {
  const metric = accuracyMetricNamed(name);
  const known = rows.filter((row) =>
    metric.kind === 'share' ? records.correct[row] !== UNKNOWN : !Number.isNaN(records.judgement[row]!),
  );
  if (known.length === 0) return null;
  const column = metric.kind === 'share' ? records.correct : records.judgement;
  const judgements = Float64Array.from(known, (row) => column[row]!);
  return { metric: name, total: known.length, ...metric.total(judgements, seed) };
}

function latenesses({ records, measured }: MeasuredWindow): Float64Array {
  return ascending(differences(measured, records.issuedNs, records.dueNs));
}

function sendLatencies({ records, rows }: MeasuredWindow): Float64Array {
  return ascending(differences(rows, records.completedNs, records.issuedNs));
}

function differences(rows: Uint32Array, later: Float64Array, earlier: Float64Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = later[rows[i]!]! - earlier[rows[i]!]!;
  return values;
}

function queriesOf({ records, measured }: MeasuredWindow, load: LoadFacts): number {
  const queries = new Set<number>();
  let issued = 0;
  for (const row of measured) {
    if (Number.isNaN(records.issuedNs[row]!)) continue;
    issued++;
    if (load.perQuery) queries.add(records.query[row]!);
  }
  return load.perQuery ? queries.size : issued;
}

/** For the percentiles that reports print large. */
const WITH_INTERVAL: readonly PercentileName[] = ['p50', 'p90', 'p95', 'p99'];

function percentileIntervals(
  { latencyNs, sortedLatencyNs }: MeasuredWindow,
  seed: bigint,
): Partial<Record<PercentileName, Interval>> {
  const found: Partial<Record<PercentileName, Interval>> = {};
  for (const name of WITH_INTERVAL) {
    const interval = percentileInterval(latencyNs, sortedLatencyNs, PERCENTILES[name], seed);
    if (interval) found[name] = interval;
  }
  return found;
}

/** Interval of the mean rate of 20 equal slices of time, scaled to the rate that is reported; none below 100 requests. */
function rateInterval({ records, rows }: MeasuredWindow, rate: number, seed: bigint): Interval | undefined {
  const slices = new Array<number>(20).fill(0);
  if (rows.length < 100) return undefined;
  const end = rows.reduce((latest, row) => Math.max(latest, records.completedNs[row]!), 0);
  for (const row of rows)
    slices[Math.max(0, Math.min(slices.length - 1, Math.floor((records.completedNs[row]! / end) * slices.length)))]!++;
  const interval = meanInterval(slices, seed);
  const scale = (rate * slices.length) / rows.length;
  return interval && { ...interval, low: Math.max(0, interval.low * scale), high: interval.high * scale };
}

function primaryOf({ load }: TrialFacts, window: MeasuredWindow, verdict: Verdict): TrialSummary['primary'] {
  const { metric: name, percentile: p } = load.primary;
  if (name === 'targetRate') return { name, ...targetRate(load, verdict) };
  if (name === 'throughput') {
    const measure = load.latenessExpected ? sampleThroughput : throughput;
    return { name: measure.name, ...measure.compute(window) };
  }
  if (p === null) return { name, ...(metric(name)?.compute(window) ?? { value: null, unit: 'ns' }) };
  const estimate = earlyStoppingEstimate(window.sortedLatencyNs, p);
  if (estimate.value !== null) return { name, value: estimate.value, unit: 'ns' };
  return { name, value: null, unit: 'ns', reason: `n too small (needs ${estimate.needs.toLocaleString('en-US')})` };
}

/** MLPerf's server metric is the rate that stays VALID: an INVALID trial has none. */
function targetRate({ ratePerSecond }: LoadFacts, verdict: Verdict): MetricValue {
  if (ratePerSecond === null) return { value: null, unit: '/s', reason: 'the load has no rate' };
  if (verdict.findings.some(({ severity }) => severity === 'missed'))
    return { value: null, unit: '/s', reason: 'a target is missed at this rate' };
  if (verdict.state === 'VALID') return { value: ratePerSecond, unit: '/s' };
  return { value: null, unit: '/s', reason: 'not VALID at this rate' };
}

/**
 * The records tell exactly which executions answered the measured requests, without warm-up and without other clients, so
 * they come first. A server that is not ours tells only its counters: their difference over the window.
 */
function batchesOf(
  window: MeasuredWindow,
  statistics: TrialFacts['statistics'],
): Pick<TrialSummary, 'batches' | 'batchesFrom' | 'meanBatch'> {
  const told = executionsBySize(window);
  const batches = told.length > 0 ? told : counterDifference(statistics?.before, statistics?.after);
  const executions = batches.reduce((sum, { count }) => sum + count, 0);
  const rows = batches.reduce((sum, { size, count }) => sum + size * count, 0);
  const source = told.length > 0 ? 'records' : 'statistics';
  return {
    batches,
    batchesFrom: executions > 0 ? source : null,
    meanBatch: executions > 0 ? rows / executions : null,
  };
}

/** What an execution of a parallel runtime was made of, in the mean over those between the two looks at the server. */
function partsOf(statistics: TrialFacts['statistics']): Pick<TrialSummary, 'parts'> {
  const before = new Map(statistics?.before.servemark_parts?.map((part) => [part.name, part]));
  const parts = (statistics?.after.servemark_parts ?? []).flatMap(({ name, unit, count, total }) => {
    const executions = count - (before.get(name)?.count ?? 0);
    if (executions <= 0) return [];
    return [{ name, unit, executions, mean: (total - (before.get(name)?.total ?? 0)) / executions }];
  });
  return parts.length > 0 ? { parts } : {};
}

function counterDifference(before: ServerCounters | undefined, after: ServerCounters | undefined) {
  const counts = new Map<number, number>();
  for (const { batch_size, compute_infer } of after?.batch_stats ?? []) counts.set(batch_size, compute_infer.count);
  for (const { batch_size, compute_infer } of before?.batch_stats ?? [])
    counts.set(batch_size, (counts.get(batch_size) ?? 0) - compute_infer.count);
  return [...counts]
    .filter(([, count]) => count > 0)
    .map(([size, count]) => ({ size, count }))
    .sort((a, b) => a.size - b.size);
}

/** What the monitors read over the measured window, which ends with the last completion. */
function readOf(
  { readings, monitors, drive }: TrialFacts,
  answered: number,
): Pick<TrialSummary, 'readings' | 'monitors' | 'energy'> {
  if (!readings) return {};
  const window = { fromNs: 0, toNs: drive.durationNs };
  return { readings: summariseReadings(readings, window), monitors, energy: energyUsage(readings, window, answered) };
}

function withLoadProcess({ processes, drive }: TrialFacts): readonly ProcessUsage[] {
  const known = oneARole(processes);
  if (known.some(({ role }) => role === 'load')) return known;
  const memory = { rssPeakBytes: null, rssFirstBytes: null, rssLastBytes: null };
  const many = drive.processes === undefined ? {} : { processes: drive.processes };
  return [...known, { role: 'load', ...drive.cpu, ...memory, ...many }];
}

/** Several load processes are one load: their figures are added (their peaks need not have come at once: an upper bound). */
function oneARole(processes: readonly ProcessUsage[]): readonly ProcessUsage[] {
  const roles = new Map<string, ProcessUsage>();
  for (const usage of processes) {
    const known = roles.get(usage.role);
    roles.set(usage.role, known ? together(known, usage) : usage);
  }
  return [...roles.values()];
}

function together(a: ProcessUsage, b: ProcessUsage): ProcessUsage {
  const sum = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y);
  return {
    role: a.role,
    userSeconds: a.userSeconds + b.userSeconds,
    systemSeconds: a.systemSeconds + b.systemSeconds,
    rssPeakBytes: sum(a.rssPeakBytes, b.rssPeakBytes),
    rssFirstBytes: sum(a.rssFirstBytes, b.rssFirstBytes),
    rssLastBytes: sum(a.rssLastBytes, b.rssLastBytes),
    processes: (a.processes ?? 1) + (b.processes ?? 1),
    contextSwitches:
      a.contextSwitches && b.contextSwitches
        ? {
            voluntary: a.contextSwitches.voluntary + b.contextSwitches.voluntary,
            involuntary: a.contextSwitches.involuntary + b.contextSwitches.involuntary,
          }
        : null,
  };
}
