import type { TrialFacts } from './facts.js';
import type { InputSummary } from './summary.js';
import type { MeasuredWindow } from './window.js';

/**
 * Which inputs were sent, and what a cache made of their repetition. A hit is an answer for which nothing was executed: the
 * records tell it where the server sends its timings, else the difference of its statistics, else nobody.
 */
export function inputSummary(window: MeasuredWindow, { drive, records, statistics }: TrialFacts): InputSummary {
  const { measured } = window;
  const seen = new Set<number>();
  for (let row = 0; row < records.length; row++)
    if (records.warmUp[row] === 1 && !Number.isNaN(records.issuedNs[row]!)) seen.add(records.sampleIndex[row]!);
  const distinct = new Set<number>();
  let repeated = 0;
  for (const row of measured) {
    const sample = records.sampleIndex[row]!;
    if (seen.has(sample)) repeated++;
    seen.add(sample);
    distinct.add(sample);
  }
  return {
    sha256: drive.samplesSha256 ?? null,
    requests: measured.length,
    distinct: distinct.size,
    repeated,
    ...hits(window, statistics),
  };
}

function hits(
  { records, rows }: MeasuredWindow,
  statistics: TrialFacts['statistics'],
): Pick<InputSummary, 'cacheHits' | 'cacheHitsFrom'> {
  let told = 0;
  let count = 0;
  for (const row of rows) {
    if (Number.isNaN(records.queueNs[row]!)) continue;
    told++;
    if (records.executionId[row] === 0) count++;
  }
  if (told > 0 && told === rows.length) return { cacheHits: count, cacheHitsFrom: 'records' };
  const after = statistics?.after.inference_stats?.cache_hit?.count;
  if (after === undefined) return { cacheHits: null, cacheHitsFrom: null };
  const before = statistics?.before.inference_stats?.cache_hit?.count ?? 0;
  return { cacheHits: Number(after) - Number(before), cacheHitsFrom: 'statistics' };
}
