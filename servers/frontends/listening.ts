import { UserError } from '../../results/errors.js';

/** A port that is taken, or not ours to take. */
export function cannotListen(place: string, why: string, cause: unknown): UserError {
  const remedy = 'Choose another port, or 0 for any free one';
  return new UserError({ place, found: `cannot listen: ${why}`, remedy }, { cause });
}
