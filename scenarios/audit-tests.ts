import { type RecordTable, UNKNOWN } from '../results/record.js';
import type { TrialSummary } from '../results/summary.js';
import { formatDuration, formatRate } from '../results/units.js';

export interface AuditFinding {
  readonly trial: string;
  readonly test: 'TEST01' | 'TEST04' | 'TEST05';
  readonly state: 'PASS' | 'FAIL' | 'SKIPPED';
  /** With the numbers. */
  readonly message: string;
}

type Judged = Omit<AuditFinding, 'trial' | 'test'>;

/** One variant of an audited trial. */
export interface Scored {
  readonly summary: TrialSummary;
  /** Better when higher; `latencyNs` where it is the inverse of one. */
  readonly score: { readonly name: string; readonly value: number; readonly latencyNs: number | null };
  readonly records: RecordTable | undefined;
}

/** The share of answers that may be judged otherwise than in accuracy mode: batches may round differently. */
const MISMATCH = 0.01;
/**
 * How much slower or faster than the reference a variant may be; twice as much below 200 µs, where the client is most of it.
 * Source: mlcommons/inference `compliance/`, verify_performance.py.
 */
const TOLERANCE = 0.1;
const SHORT_NS = 200e3;

/** TEST01: the answers given under load are those of accuracy mode, sample by sample, and judging them costs no tenth. */
export function sameAnswers(
  reference: Scored,
  tested: Scored,
  accuracy: ReadonlyMap<number, number> | undefined,
): Judged {
  if (accuracy === undefined)
    return { state: 'SKIPPED', message: 'the run has no accuracy trial to hold the answers against (accuracy: true)' };
  const { compared, different, right } = compare(tested.records, accuracy);
  if (compared === 0) return { state: 'FAIL', message: 'no answer of the performance run could be judged' };
  const ratio = tested.score.value / reference.score.value;
  const sound = different <= MISMATCH * compared && ratio > 1 - toleranceOf(reference);
  return {
    state: sound ? 'PASS' : 'FAIL',
    message: `${different.toLocaleString('en-US')} of ${compared.toLocaleString('en-US')} answers under load are judged otherwise than in accuracy mode (at most ${percent(MISMATCH)}); ${percent(right / compared)} right; ${comparison(reference, tested)}`,
  };
}

/** TEST04: one sample over and over is no faster than many; else something caches. */
export function caching(reference: Scored, tested: Scored): Judged {
  const ratio = tested.score.value / reference.score.value;
  const hits = tested.summary.inputs?.cacheHits ?? null;
  const told = hits === null ? '' : `; ${hits.toLocaleString('en-US')} answers without an execution`;
  return {
    state: ratio < 1 + toleranceOf(reference) && !hits ? 'PASS' : 'FAIL',
    message: `the same sample again and again: ${comparison(reference, tested)} (at most ${percent(toleranceOf(reference))} faster)${told}`,
  };
}

/** TEST05: with seeds that nobody could tune for it is VALID and as fast. */
export function otherSeeds(reference: Scored, tested: Scored): Judged {
  const ratio = tested.score.value / reference.score.value;
  const { verdict } = tested.summary;
  const broken = verdict.findings.find(({ severity }) => severity === 'invalid');
  return {
    state: ratio > 1 - toleranceOf(reference) && broken === undefined ? 'PASS' : 'FAIL',
    message: `other seeds: ${comparison(reference, tested)} (at most ${percent(toleranceOf(reference))} slower); ${verdict.state}${broken ? `: ${broken.message}` : ''}`,
  };
}

function compare(records: RecordTable | undefined, accuracy: ReadonlyMap<number, number>) {
  const found = { compared: 0, different: 0, right: 0 };
  for (let row = 0; row < (records?.length ?? 0); row++) {
    const judgement = records!.correct[row]!;
    const known = accuracy.get(records!.sampleIndex[row]!);
    if (judgement === UNKNOWN || records!.warmUp[row] === 1 || known === undefined) continue;
    found.compared++;
    if (judgement !== known) found.different++;
    if (judgement === 1) found.right++;
  }
  return found;
}

function toleranceOf({ score: { latencyNs } }: Scored): number {
  return latencyNs !== null && latencyNs <= SHORT_NS ? 2 * TOLERANCE : TOLERANCE;
}

/** `mean latency 1.23 ms against 1.20 ms, 2.4 % slower`. */
function comparison({ score: reference }: Scored, { score: tested }: Scored): string {
  const change = tested.value / reference.value - 1;
  const figure = (score: Scored['score']) =>
    score.latencyNs === null ? formatRate(score.value) : formatDuration(score.latencyNs);
  return `${tested.name} ${figure(tested)} against ${figure(reference)}, ${percent(Math.abs(change))} ${change < 0 ? 'slower' : 'faster'}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
