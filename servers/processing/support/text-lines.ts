import type { Sharp } from 'sharp';
import { type Pixels, writeNormalised } from './pixels.js';

const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], layout: 'nchw' } as const;

/** To that height, the width in proportion. */
export function atHeight(height: number) {
  return (image: Sharp, size: Pick<Pixels, 'height' | 'width'>): Sharp =>
    image.resize({
      height,
      width: Math.max(8, Math.round((size.width * height) / size.height)),
      fit: 'fill',
      kernel: 'linear',
    });
}

/** Lines of one height as [N,3,H,W], padded at the right to the widest, W a multiple of 8. */
export function lineBatch(lines: readonly Pixels[]): { values: Float32Array<ArrayBuffer>; shape: number[] } {
  const height = lines[0]?.height ?? 0;
  const width = Math.ceil(Math.max(0, ...lines.map((line) => line.width)) / 8) * 8;
  const size = 3 * height * width;
  const values = new Float32Array(lines.length * size);
  for (const [row, line] of lines.entries())
    writeNormalised(line, HALF, values.subarray(row * size, (row + 1) * size), width);
  return { values, shape: [lines.length, 3, height, width] };
}
