/** The two 16-bit floating-point formats, which JavaScript lacks. Rounding is to nearest, ties to even (IEEE 754). */

/** Bits of the FP16 nearest to a number. */
export const toFp16 = (value: number): number => encode(value, 5, 10);
/** Bits of the BF16 nearest to a number. */
export const toBf16 = (value: number): number => encode(value, 8, 7);
/** The number that FP16 bits stand for. */
export const fromFp16 = (bits: number): number => decode(bits, 5, 10);
/** The number that BF16 bits stand for. */
export const fromBf16 = (bits: number): number => decode(bits, 8, 7);

const scratch = new DataView(new ArrayBuffer(8));

function encode(value: number, exponentBits: number, fractionBits: number): number {
  const infinity = ((1 << exponentBits) - 1) << fractionBits;
  if (Number.isNaN(value)) return infinity | (1 << (fractionBits - 1));
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return sign | infinity;
  const bias = (1 << (exponentBits - 1)) - 1;
  // Below the smallest normal exponent the spacing of numbers no longer shrinks: subnormals share it.
  const exponent = Math.max(exponentOf(size), 1 - bias);
  const units = roundHalfEven(size * 2 ** (fractionBits - exponent));
  const hidden = 1 << fractionBits;
  // A fraction that rounds up to the next power of two carries into the exponent by itself.
  const bits = units < hidden ? units : ((exponent + bias) << fractionBits) + (units - hidden);
  return sign | Math.min(bits, infinity);
}

function decode(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const all = (1 << exponentBits) - 1;
  const exponent = (bits >> fractionBits) & all;
  const fraction = bits & ((1 << fractionBits) - 1);
  if (exponent === all) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const bias = all >> 1;
  const units = exponent === 0 ? fraction : fraction + (1 << fractionBits);
  return sign * units * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
}

/** Unbiased exponent of a double: ⌊log₂ size⌋, exactly, which Math.log2 does not promise. */
function exponentOf(size: number): number {
  scratch.setFloat64(0, size);
  return ((scratch.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
