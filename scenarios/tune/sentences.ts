import type { Comparison } from '../../results/compare.js';
import type { TuningVerdict } from '../../results/tuning.js';
import type { ObjectiveName } from './spec.js';

export type Compared = Pick<Comparison, 'figure' | 'ratio' | 'claim'>;

/** What the paired trials allow to be said of tuned against author, a sentence a figure. */
export function sentencesOf(compared: readonly Compared[]): string[] {
  return compared.map(({ figure, ratio, claim }) => `${figure}${timesText(ratio)}: ${claim.text}`);
}

/** By the first objective, and the bounds in the tuned configuration's trials. */
export function verdictOf(
  compared: readonly Compared[],
  objective: ObjectiveName,
  tuned: string,
  { kept, trials }: { readonly kept: number; readonly trials: number },
): TuningVerdict {
  const bounds = `its bounds held in ${kept} of ${trials}`;
  const own = compared.find(({ figure }) => figure === objective);
  if (!own) return { state: 'unconfirmed', text: `Not confirmed: pairs do not compare ${objective}; ${bounds}.` };
  const times = timesText(own.ratio);
  if (own.claim.state === 'better' && kept === trials)
    return {
      state: 'confirmed',
      text: `Confirmed: ${tuned} is better than the author’s in ${objective},${times} in paired, interleaved trials; ${bounds}.`,
    };
  return { state: 'unconfirmed', text: `Not confirmed: ${own.claim.text} (${objective}${times}; ${bounds}).` };
}

function timesText({ ratio, interval }: Comparison['ratio']): string {
  const times = ratio === null ? '' : ` ${ratio.toFixed(2)} ×`;
  return interval ? `${times} (95 % ${interval.low.toFixed(2)}–${interval.high.toFixed(2)})` : times;
}
