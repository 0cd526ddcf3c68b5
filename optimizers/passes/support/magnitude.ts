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

/**
 * The magnitude up to which weights become 0, so that ⌊share · count⌋ of them do. Magnitudes are ordered as their bits are: two
 * counts, by the upper and by the lower half of the bits, find it without sorting millions of them.
 */
function thresholdOf(arrays: readonly Float32Array[], share: number): number {
  const total = arrays.reduce((sum, { length }) => sum + length, 0);
  const count = Math.floor(share * total);
  if (count === 0) return -1;
  const magnitudes = arrays.map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length));
  const upper = new Uint32Array(1 << 15);
  for (const each of magnitudes) for (const bits of each) upper[(bits & MAGNITUDE) >>> 16]!++;
  const [high, before] = reach(upper, count);
  const lower = new Uint32Array(1 << 16);
  for (const each of magnitudes)
    for (const bits of each) if ((bits & MAGNITUDE) >>> 16 === high) lower[bits & 0xffff]!++;
  const [low] = reach(lower, count - before);
  return new Float32Array(Uint32Array.of((high << 16) | low).buffer)[0]!;
}

/** All bits but the sign. */
const MAGNITUDE = 0x7fffffff;

/** The bin in which the count is reached, and how many lie before it. */
function reach(bins: Uint32Array, count: number): [bin: number, before: number] {
  let before = 0;
  let bin = 0;
  while (before + bins[bin]! < count) before += bins[bin++]!;
  return [bin, before];
}

function zero(array: Float32Array, threshold: number): void {
  for (let i = 0; i < array.length; i++) if (Math.abs(array[i]!) <= threshold) array[i] = 0;
}
