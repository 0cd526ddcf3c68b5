import { createHash } from 'node:crypto';
import type { SampleLibrary } from '../clients/samples/index.js';

/** Samples in two roles that share none: what passes may look at, and what accuracy is judged on. */
export interface Roles {
  readonly training: SampleLibrary;
  readonly judging: SampleLibrary;
}

/**
 * One library in both roles: every second sample for passes, the others for judging. Both halves are mixed as the library is,
 * also where it is sorted.
 */
export function halves(library: SampleLibrary): Roles {
  return { training: everySecond(library, 0, 'even'), judging: everySecond(library, 1, 'odd') };
}

function everySecond(library: SampleLibrary, first: 0 | 1, which: string): SampleLibrary {
  const { label } = library;
  const count = Math.floor((library.totalSampleCount + 1 - first) / 2);
  return {
    ...library,
    name: `${library.name} (${which} half)`,
    totalSampleCount: count,
    performanceSampleCount: Math.min(count, library.performanceSampleCount),
    sha256: createHash('sha256').update(`${library.sha256} ${which}`).digest('hex'),
    inputs: (index) => library.inputs(2 * index + first),
    ...(label && { label: (index: number) => label(2 * index + first) }),
  };
}
