import type { Fidelity } from '../fidelity.js';

/** How a variant's accuracy is judged: by labels, by the place of the largest output, or by the outputs' direction. */
export type AccuracyMetric = 'top-1' | 'agreement' | 'cosine';

/** A variant's accuracy as a share of the reference's, and whether that is enough. */
export interface Judgement {
  readonly metric: AccuracyMetric;
  readonly value: number;
  /** 95 % Wilson interval of a share of samples; null for a mean. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** Accuracy over the reference's, on the same samples. */
  readonly ofReference: number;
  readonly passes: boolean;
}

/** Top-1 where samples have labels, else agreement with the reference. `gate`: 0…1, of the reference's accuracy. */
export function judge(fidelity: Fidelity, gate: number, metric = metricOf(fidelity)): Judgement {
  const { value, interval, reference } = measured(fidelity, metric);
  const ofReference = reference === 0 ? Number(value === 0) : value / reference;
  return { metric, value, interval, ofReference, passes: ofReference >= gate };
}

function metricOf({ topOne }: Fidelity): AccuracyMetric {
  return topOne === null ? 'agreement' : 'top-1';
}

function measured(fidelity: Fidelity, metric: AccuracyMetric) {
  const { topOne, referenceTopOne, agreement, agreementInterval, cosine } = fidelity;
  if (metric === 'cosine') return { value: cosine, interval: null, reference: 1 };
  if (metric === 'agreement') return { value: agreement, interval: agreementInterval, reference: 1 };
  if (topOne === null || referenceTopOne === null) throw new Error('top-1 of samples without labels');
  return { value: topOne.value, interval: { low: topOne.low, high: topOne.high }, reference: referenceTopOne.value };
}
