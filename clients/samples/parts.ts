import { createHash } from 'node:crypto';
import { UserError } from '../../results/errors.js';
import type { SampleLibrary } from './contract.js';

/** A library in two roles that share no sample. */
export interface SampleParts {
  /** What passes may calibrate and train on. */
  readonly forPasses: SampleLibrary;
  /** What answers are judged on, and loads ask for. */
  readonly others: SampleLibrary;
}

/**
 * `count` samples, evenly spread over the library, and the others in their order: both are mixed as the library is, also where
 * it is sorted. Throws UserError at `place` where no others are left.
 */
export function apart(library: SampleLibrary, count: number, place = 'samples.forPasses'): SampleParts {
  const total = library.totalSampleCount;
  if (count >= total)
    throw new UserError({
      place,
      found: `${count} leave none of the ${total} samples of "${library.name}" to judge on`,
      allowed: `at most ${total - 1}`,
    });
  const chosen = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * total) / count));
  const isChosen = new Set(chosen);
  const left = Uint32Array.from({ length: total }, (_, i) => i).filter((i) => !isChosen.has(i));
  return { forPasses: picked(library, chosen, 1), others: count === 0 ? library : picked(library, left, 2) };
}

/** Every second sample, and the others. */
export function halves(library: SampleLibrary): SampleParts {
  return apart(library, Math.floor(library.totalSampleCount / 2), `samples ${library.name}`);
}

function picked(library: SampleLibrary, indices: Uint32Array, part: 1 | 2): SampleLibrary {
  const { label, answer } = library;
  return {
    ...library,
    name: `${library.name} (part ${part}: ${indices.length} samples)`,
    totalSampleCount: indices.length,
    performanceSampleCount: Math.min(indices.length, library.performanceSampleCount),
    sha256: createHash('sha256').update(`${library.sha256} ${indices}`).digest('hex'),
    inputs: (index) => library.inputs(indices[index]!),
    ...(label && { label: (index: number) => label(indices[index]!) }),
    ...(answer && { answer: (index: number) => answer(indices[index]!) }),
  };
}
