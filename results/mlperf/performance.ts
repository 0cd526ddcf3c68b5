import { OUTCOMES } from '../record.js';
import { ascending, countAbove, earlyStoppingEstimate, earlyStoppingServer, percentile } from '../stats/index.js';
import { measuredWindow } from '../window.js';
import { whole } from './numbers.js';
import { type MlperfSettings, type MlperfTrial, minSampleCount } from './settings.js';

/** LoadGen's figures of a performance trial. Times in ns from t = 0. */
export interface Performance {
  readonly queryCount: number;
  readonly sampleCount: number;
  /** Offered, but without an answer. */
  readonly incomplete: number;
  /** Completed − scheduled of each sample, and of each query (the slowest of its samples); ascending. */
  readonly sampleNs: Float64Array;
  readonly queryNs: Float64Array;
  readonly meanSampleNs: number;
  readonly meanQueryNs: number;
  /** Of the last issued query; `lastDoneNs` is its slowest sample's, or the last answer of all where it has none. */
  readonly lastScheduledNs: number;
  readonly lastIssuedNs: number;
  readonly lastDoneNs: number;
  /** What was not answered took too long. */
  readonly overLatency: number;
  readonly rules: Rules;
}

/** LoadGen's own rules, and whether the trial holds them. */
export interface Rules {
  readonly minDuration: boolean;
  readonly minQueries: boolean;
  /** True where the scenario has none. */
  readonly constraint: boolean;
  readonly earlyStopping: boolean;
  readonly earlyStoppingText: string;
  /** Early-stopping estimates in ns: at the 90th percentile (single-stream), and at the 99th. */
  readonly singleStreamNs: number;
  readonly multiStreamNs: number;
}

export function performanceOf({ settings, records }: MlperfTrial): Performance {
  const window = measuredWindow(records, {
    durationNs: 0,
    scheduled: false,
    perQuery: settings.scenario === 'MultiStream',
  });
  const issued = window.measured.filter((row) => !Number.isNaN(records.issuedNs[row]!));
  const sampleNs = ascending(Float64Array.from(window.rows, (row) => records.completedNs[row]! - records.dueNs[row]!));
  const incomplete = window.measured.length - window.rows.length;
  const last = lastQuery(issued, records);
  const figures = {
    queryCount: new Set(Array.from(issued, (row) => records.query[row]!)).size,
    sampleCount: window.rows.length,
    incomplete,
    sampleNs,
    queryNs: window.sortedLatencyNs,
    meanSampleNs: meanOf(sampleNs),
    meanQueryNs: meanOf(window.sortedLatencyNs),
    ...last,
    overLatency: settings.scenario === 'Server' ? countAbove(sampleNs, settings.targetLatencyNs) + incomplete : 0,
  };
  return { ...figures, rules: rulesOf(settings, figures) };
}

const OK = OUTCOMES.indexOf('ok');

function lastQuery(
  issued: Uint32Array,
  records: MlperfTrial['records'],
): Pick<Performance, 'lastScheduledNs' | 'lastIssuedNs' | 'lastDoneNs'> {
  const end = issued.at(-1);
  if (end === undefined) return { lastScheduledNs: 0, lastIssuedNs: 0, lastDoneNs: 0 };
  let lastIssuedNs = 0;
  let lastDoneNs = 0;
  for (const row of issued) {
    if (records.query[row] !== records.query[end]) continue;
    lastIssuedNs = Math.max(lastIssuedNs, records.issuedNs[row]!);
    if (records.outcome[row] === OK) lastDoneNs = Math.max(lastDoneNs, records.completedNs[row]!);
  }
  if (lastDoneNs === 0) for (const row of issued) lastDoneNs = Math.max(lastDoneNs, records.completedNs[row]! || 0);
  return { lastScheduledNs: records.dueNs[end]!, lastIssuedNs, lastDoneNs };
}

type Figures = Omit<Performance, 'rules'>;

function rulesOf(settings: MlperfSettings, figures: Figures): Rules {
  const { scenario, targetPercentile: p, minDurationMs } = settings;
  const lasted = {
    SingleStream: figures.lastIssuedNs,
    MultiStream: figures.lastIssuedNs,
    Server: figures.lastScheduledNs,
    Offline: figures.sampleNs.at(-1) ?? 0,
  }[scenario];
  return {
    minDuration: lasted >= minDurationMs * 1e6,
    minQueries: figures.queryCount >= settings.minQueryCount && figures.sampleCount >= minSampleCount(settings),
    constraint: scenario !== 'Server' || percentile(figures.sampleNs, p) <= settings.targetLatencyNs,
    ...EARLY_STOPPING[scenario](figures, p),
  };
}

type EarlyStopping = Pick<Rules, 'earlyStopping' | 'earlyStoppingText' | 'singleStreamNs' | 'multiStreamNs'>;

const EARLY_STOPPING: Readonly<Record<MlperfSettings['scenario'], (figures: Figures, p: number) => EarlyStopping>> = {
  SingleStream(figures, p) {
    const own = estimated(figures.sampleNs, p);
    const other = estimated(figures.sampleNs, 0.99);
    const text = `${own.text}\n${other.text}`;
    return { earlyStopping: own.ok, earlyStoppingText: text, singleStreamNs: own.ns, multiStreamNs: other.ns };
  },
  MultiStream(figures, p) {
    const { ok, text, ns } = estimated(figures.queryNs, p);
    return { earlyStopping: ok, earlyStoppingText: text, singleStreamNs: 0, multiStreamNs: ns };
  },
  Server({ queryCount, overLatency }, p) {
    const { pass, more } = earlyStoppingServer(queryCount, overLatency, p);
    const text = pass
      ? ' * Run successful.'
      : ` * Run unsuccessful.\n * Processed ${queryCount} queries, ${overLatency} over latency.\n * Would need ${more} more queries under latency.`;
    return { earlyStopping: pass, earlyStoppingText: text, singleStreamNs: 0, multiStreamNs: 0 };
  },
  Offline: () => ({ earlyStopping: true, earlyStoppingText: '', singleStreamNs: 0, multiStreamNs: 0 }),
};

function estimated(sorted: Float64Array, p: number): { ok: boolean; text: string; ns: number } {
  const name = `${(p * 100).toFixed(1)}th percentile`;
  const estimate = earlyStoppingEstimate(sorted, p);
  if (estimate.value === null)
    return {
      ok: false,
      text: ` * ${name}: ${sorted.length} queries processed, at least ${estimate.needs} are needed.`,
      ns: 0,
    };
  return {
    ok: true,
    text: ` * Early stopping ${name} estimate: ${whole(estimate.value)} (${estimate.overLatency - 1} highest latencies discarded)`,
    ns: estimate.value,
  };
}

/** LoadGen divides whole numbers. */
function meanOf(values: Float64Array): number {
  return values.length === 0 ? Number.NaN : Math.trunc(values.reduce((sum, value) => sum + value, 0) / values.length);
}
