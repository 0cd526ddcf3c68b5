import type { AccuracyMetric, AnswerPart, Truth } from '../results/accuracy/index.js';
import type { Tensor } from '../servers/protocol/index.js';
import { numbersOf, splitBytes } from '../servers/protocol/index.js';
import type { Judge } from './requests.js';
import type { SampleLibrary } from './samples/index.js';

/**
 * Judges answers by a metric of results/accuracy against what the samples say, or against the outputs of a reference.
 * Undefined where neither knows what the metric needs.
 */
export function judgeBy(
  metric: Pick<AccuracyMetric, 'judge' | 'needs'>,
  samples: SampleLibrary,
  reference?: (sample: number) => ArrayLike<number> | undefined,
): Judge | undefined {
  const truthOf = truths(metric.needs, samples, reference);
  if (!truthOf) return undefined;
  return (sample, result) => {
    const truth = truthOf(sample);
    const outputs = result.response?.().outputs;
    return outputs === undefined || truth === undefined ? Number.NaN : metric.judge(outputs.map(partOf), truth);
  };
}

function truths(
  needs: AccuracyMetric['needs'],
  samples: SampleLibrary,
  reference: ((sample: number) => ArrayLike<number> | undefined) | undefined,
): ((sample: number) => Truth | undefined) | undefined {
  if (needs === 'outputs' && reference) return reference;
  return samples.answer ?? (needs === 'text' ? undefined : samples.label);
}

function partOf(output: Tensor): AnswerPart {
  const isWhole = output.datatype.includes('INT');
  if (output.datatype !== 'BYTES') return { name: output.name, numbers: numbersOf(output), isWhole };
  const texts = splitBytes(output.data).map((each) =>
    Buffer.from(each.buffer, each.byteOffset, each.length).toString(),
  );
  return { name: output.name, texts, isWhole };
}

/** Judges every n-th answer alone, so that performance trials can tell what they answered at little cost. */
export function sampledJudge(inner: Judge | undefined, share: number): Judge | undefined {
  if (!inner || share >= 1) return inner;
  let due = 0;
  return (sample, result) => {
    due += share;
    if (due < 1) return Number.NaN;
    due -= 1;
    return inner(sample, result);
  };
}
