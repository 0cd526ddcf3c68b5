/** Sets that share of the weights with the smallest magnitudes to 0, in place: of each array, or of all together. */
export function zeroSmallest(arrays: readonly Float32Array[], share: number, scope: 'layer' | 'global'): void {
  if (scope === 'layer') {
    for (const array of arrays) zero(array, thresholdOf([array], share));
    return;
  }
  const threshold = thresholdOf(arrays, share);
  for (const array of arrays) zero(array, threshold);
}

/** Where in the training the share of zeros is whole; the rest lets what is left settle. */
export const WHOLE_AT = 0.8;

/** Share of zeros after a fraction `done` of the training: final · (1 − (1 − done)³), whole at `WHOLE_AT` of it. */
export function sparsityAt(done: number, final: number): number {
  const progress = Math.min(1, done / WHOLE_AT);
  return final * (1 - (1 - progress) ** 3);
}

/** The magnitude up to which weights become 0, so that ⌊share · count⌋ of them do. */
function thresholdOf(arrays: readonly Float32Array[], share: number): number {
  const sizes = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) for (const value of array) sizes[at++] = Math.abs(value);
  sizes.sort();
  const count = Math.floor(share * sizes.length);
  return count === 0 ? -1 : sizes[count - 1]!;
}

function zero(array: Float32Array, threshold: number): void {
  for (let i = 0; i < array.length; i++) if (Math.abs(array[i]!) <= threshold) array[i] = 0;
}
