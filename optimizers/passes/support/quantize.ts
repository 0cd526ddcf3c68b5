/** Integers with the scale of each column: w[k][n] ≈ q[k][n] · scale[n]. */
export interface QuantizedColumns {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

/**
 * Symmetric per-column quantisation of W [k, n]: scale = largest / `limit`, q = round half to even. `limit` 127 uses all
 * of int8; 63 keeps sums of u8·s8 pairs within 16 bits, which CPUs without VNNI saturate. Source: ONNX Runtime quantization.
 */
export function quantizeColumns(weights: Float32Array, k: number, n: number, limit = 127): QuantizedColumns {
  const scales = new Float32Array(n);
  for (let row = 0, at = 0; row < k; row++)
    for (let column = 0; column < n; column++, at++) scales[column] = Math.max(scales[column]!, Math.abs(weights[at]!));
  for (let column = 0; column < n; column++) scales[column] = scales[column]! > 0 ? scales[column]! / limit : 1;
  const values = new Int8Array(k * n);
  for (let row = 0, at = 0; row < k; row++)
    for (let column = 0; column < n; column++, at++)
      values[at] = clamp(roundHalfEven(weights[at]! / scales[column]!), -limit, limit);
  return { values, scales };
}

/** Rounds as ONNX's QuantizeLinear does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
