import type { Point, Space } from '../contract.js';
import { pointAt, sizeOf } from '../space.js';

/**
 * A point as coordinates: an ordered dimension is one coordinate in [0, 1] by rank; a set of names one coordinate a name,
 * 1/√2 where it is chosen, so that two different names are 1 apart.
 */
export function featuresOf({ dimensions }: Space, point: Point): Float64Array {
  const features: number[] = [];
  dimensions.forEach(({ values, ordered }, d) => {
    if (ordered) features.push(values.length > 1 ? point[d]! / (values.length - 1) : 0);
    else for (let value = 0; value < values.length; value++) features.push(point[d] === value ? Math.SQRT1_2 : 0);
  });
  return Float64Array.from(features);
}

/** The features of every point, by its number. */
export function allFeatures(space: Space): Float64Array[] {
  return Array.from({ length: sizeOf(space) }, (_, number) => featuresOf(space, pointAt(space, number)));
}
