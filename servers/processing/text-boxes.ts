import { z } from 'zod';
import { defineProcessor } from './contract.js';
import { floats, metadata, tensor } from './support/tensors.js';
import { outputOf } from './support/wrong-model.js';

const options = z.strictObject({
  threshold: z.number().min(0).max(1).default(0.3).describe('a pixel above it belongs to text'),
  score: z.number().min(0).max(1).default(0.5).describe('mean probability in a box, at least'),
  grow: z.number().min(0).max(5).default(1.6).describe('a box grows by area × this / perimeter on every side'),
  smallest: z.number().int().positive().default(3).describe('pixels of a box’s shorter side, at least'),
});

type Options = z.output<typeof options>;

interface Box {
  left: number;
  top: number;
  /** Exclusive, as `bottom`. */
  right: number;
  bottom: number;
  score: number;
}

/**
 * A detector's map of probabilities FP32 [N,1,H,W] → boxes FP32 [N,K,5]: left, top, right, bottom as fractions of the sides,
 * and the mean probability; from top to bottom, then left to right; rows with fewer than K end with zeros. Differs from
 * PaddleOCR's DBPostProcess: upright boxes around connected pixels, where that fits rotated ones around contours.
 */
export const textBoxes = defineProcessor({
  name: 'text-boxes',
  summary: 'FP32 [N,1,H,W], how likely a pixel is text → boxes FP32 [N,K,5]',
  side: 'post',
  options,
  async create(chosen, context) {
    const source = outputOf(context, undefined, 4);
    return {
      inputs: [source],
      outputs: [metadata('boxes', 'FP32', [-1, -1, 5])],
      run([map]) {
        const [rows, , height, width] = map!.shape as [number, number, number, number];
        const values = floats(map!);
        const size = height * width;
        const each = Array.from({ length: rows }, (_, row) =>
          boxesOf(values.subarray(row * size, (row + 1) * size), height, width, chosen),
        );
        const most = Math.max(0, ...each.map((boxes) => boxes.length));
        const found = new Float32Array(rows * most * 5);
        for (const [row, boxes] of each.entries())
          for (const [i, { left, top, right, bottom, score }] of boxes.entries())
            found.set([left / width, top / height, right / width, bottom / height, score], (row * most + i) * 5);
        return [tensor('boxes', 'FP32', [rows, most, 5], found)];
      },
    };
  },
});

function boxesOf(map: Float32Array, height: number, width: number, chosen: Options): Box[] {
  const found = components(map, height, width, chosen.threshold).flatMap((box) => {
    const [across, down] = [box.right - box.left, box.bottom - box.top];
    if (Math.min(across, down) < chosen.smallest) return [];
    const score = meanIn(map, width, box);
    if (score < chosen.score) return [];
    const by = (across * down * chosen.grow) / (2 * (across + down));
    return [
      {
        left: Math.max(0, box.left - by),
        top: Math.max(0, box.top - by),
        right: Math.min(width, box.right + by),
        bottom: Math.min(height, box.bottom + by),
        score,
      },
    ];
  });
  return found.sort(inReadingOrder);
}

/** Boxes whose middles differ by less than half a height stand on one line. */
function inReadingOrder(a: Box, b: Box): number {
  const apart = (a.top + a.bottom - b.top - b.bottom) / 2;
  const lower = Math.min(a.bottom - a.top, b.bottom - b.top);
  return Math.abs(apart) < lower / 2 ? a.left - b.left : apart;
}

/** Boxes around pixels above the threshold that touch each other, corners included. */
function components(map: Float32Array, height: number, width: number, threshold: number): Box[] {
  const seen = new Uint8Array(map.length);
  const boxes: Box[] = [];
  const stack: number[] = [];
  for (let start = 0; start < map.length; start++) {
    if (seen[start] || !(map[start]! > threshold)) continue;
    const box: Box = { left: width, top: height, right: 0, bottom: 0, score: 0 };
    seen[start] = 1;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      box.left = Math.min(box.left, x);
      box.top = Math.min(box.top, y);
      box.right = Math.max(box.right, x + 1);
      box.bottom = Math.max(box.bottom, y + 1);
      for (let down = Math.max(0, y - 1); down <= Math.min(height - 1, y + 1); down++)
        for (let across = Math.max(0, x - 1); across <= Math.min(width - 1, x + 1); across++) {
          const next = down * width + across;
          if (seen[next] || !(map[next]! > threshold)) continue;
          seen[next] = 1;
          stack.push(next);
        }
    }
    boxes.push(box);
  }
  return boxes;
}

function meanIn(map: Float32Array, width: number, { left, top, right, bottom }: Box): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += map[y * width + x]!;
  return sum / ((right - left) * (bottom - top));
}
