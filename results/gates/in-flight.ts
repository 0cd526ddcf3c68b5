import type { GateInput } from './contract.js';

/** The most requests that were on their way at once. */
export function peakInFlight({ records, measured }: GateInput['window']): number {
  const pick = (times: Float64Array) =>
    Float64Array.from(measured, (row) => times[row]!)
      .filter(Number.isFinite)
      .sort();
  const issued = pick(records.issuedNs);
  const completed = pick(records.completedNs);
  let ended = 0;
  let peak = 0;
  for (let i = 0; i < issued.length; i++) {
    while (ended < completed.length && completed[ended]! <= issued[i]!) ended++;
    peak = Math.max(peak, i + 1 - ended);
  }
  return peak;
}
