import type { PassStep } from '../optimize.js';

/**
 * What a search tries where it is told nothing: structure first (with some training, where the net can be trained here), then
 * numbers. A pass stands here more than once with other options; a combination takes each pass once at most.
 */
export const DEFAULT_MOVES: readonly PassStep[] = [
  { name: 'prune-structured', options: { share: 0.5, epochs: 2, trainCount: 12_000 } },
  { name: 'prune-structured', options: { share: 0.75, epochs: 2, trainCount: 12_000 } },
  { name: 'low-rank', options: { energy: 0.99, by: 'activation' } },
  { name: 'quantize-dynamic', options: {} },
  { name: 'quantize-static', options: { method: 'min-max' } },
  { name: 'quantize-static', options: { method: 'entropy' } },
  { name: 'quantize-weights', options: { bits: 8 } },
  { name: 'quantize-weights', options: { bits: 4 } },
  { name: 'fp16', options: {} },
];
