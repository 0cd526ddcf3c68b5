import { createHash } from 'node:crypto';
import { UserError } from '../../results/errors.js';
import type { SampleLibrary } from './contract.js';

/** The library without its first `count` samples, which passes may have looked at. */
export function withoutFirst(library: SampleLibrary, count: number): SampleLibrary {
  const left = library.totalSampleCount - count;
  if (count === 0) return library;
  if (left < 1)
    throw new UserError({
      place: 'samples.forPasses',
      found: `${count} leave none of the ${library.totalSampleCount} samples of "${library.name}" for the loads`,
      allowed: `at most ${library.totalSampleCount - 1}`,
    });
  return {
    ...library,
    totalSampleCount: left,
    performanceSampleCount: Math.min(left, library.performanceSampleCount),
    sha256: createHash('sha256').update(`${library.sha256} without ${count}`).digest('hex'),
    inputs: (index) => library.inputs(index + count),
    ...(library.label ? { label: (index) => library.label!(index + count) } : {}),
    ...(library.answer ? { answer: (index) => library.answer!(index + count) } : {}),
  };
}

/** No more than the library's first `count` samples. */
export function onlyFirst(library: SampleLibrary, count: number): SampleLibrary {
  const total = Math.min(count, library.totalSampleCount);
  return {
    ...library,
    totalSampleCount: total,
    performanceSampleCount: Math.min(total, library.performanceSampleCount),
    sha256: createHash('sha256').update(`${library.sha256} first ${total}`).digest('hex'),
  };
}
