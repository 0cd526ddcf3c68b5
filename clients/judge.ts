import { UNKNOWN } from '../results/record.js';
import { classOf } from '../servers/protocol/index.js';
import type { Judge } from './requests.js';
import type { SampleLibrary } from './samples/index.js';

/** Top-1: right where the largest score of the first output is at the sample's label. Undefined without labels. */
export function top1Judge(samples: SampleLibrary): Judge | undefined {
  if (!samples.label) return undefined;
  return (sample, result) => {
    const output = result.response?.().outputs[0];
    const answer = output && classOf(output);
    return answer === undefined ? UNKNOWN : answer === samples.label!(sample) ? 1 : 0;
  };
}

/** Judges every n-th answer alone, so that performance trials can tell what they answered at little cost. */
export function sampledJudge(inner: Judge | undefined, share: number): Judge | undefined {
  if (!inner || share >= 1) return inner;
  let due = 0;
  return (sample, result) => {
    due += share;
    if (due < 1) return UNKNOWN;
    due -= 1;
    return inner(sample, result);
  };
}
