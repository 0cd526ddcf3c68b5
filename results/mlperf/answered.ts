import { OUTCOMES, type RecordTable } from '../record.js';

/** The measured samples that were answered: their rows, and their numbers from 0 (warm-up is not LoadGen's). */
export function* answered(records: RecordTable): Generator<{ readonly row: number; readonly sequence: number }> {
  let first: number | undefined;
  for (let row = 0; row < records.length; row++) {
    if (records.warmUp[row] === 1) continue;
    first ??= records.sequence[row]!;
    if (records.outcome[row] === OK) yield { row, sequence: records.sequence[row]! - first };
  }
}

const OK = OUTCOMES.indexOf('ok');
