import type { RandomSource } from '../../results/stats/index.js';
import { uniformInt } from '../../results/stats/index.js';
import type { DimensionValue, Point, Space } from './contract.js';

/** How many points a space has. */
export function sizeOf({ dimensions }: Space): number {
  return dimensions.reduce((size, { values }) => size * values.length, 1);
}

/** Points are numbered with the last dimension fastest. */
export function numberOf({ dimensions }: Space, point: Point): number {
  return dimensions.reduce((number, { values }, d) => number * values.length + point[d]!, 0);
}

/** The point of that number. */
export function pointAt({ dimensions }: Space, number: number): Point {
  const point = new Array<number>(dimensions.length);
  let rest = number;
  for (let d = dimensions.length - 1; d >= 0; d--) {
    const { length } = dimensions[d]!.values;
    point[d] = rest % length;
    rest = Math.floor(rest / length);
  }
  return point;
}

/** Dimension → value. */
export function valuesOf({ dimensions }: Space, point: Point): Record<string, DimensionValue> {
  return Object.fromEntries(dimensions.map(({ name, values }, d) => [name, values[point[d]!]!]));
}

export function samePoint(a: Point, b: Point): boolean {
  return a.every((value, d) => value === b[d]);
}

export function randomPoint({ dimensions }: Space, random: RandomSource): Point {
  return dimensions.map(({ values }) => uniformInt(random, values.length));
}

/** The least value of every ordered dimension, the first of the others. */
export function firstPoint({ dimensions }: Space): Point {
  return dimensions.map(() => 0);
}

/** Points that differ by one step of an ordered dimension, or by another value of an unordered one. */
export function neighbours({ dimensions }: Space, point: Point): Point[] {
  return dimensions.flatMap(({ values, ordered }, d) =>
    values
      .map((_, value) => value)
      .filter((value) => (ordered ? Math.abs(value - point[d]!) === 1 : value !== point[d]))
      .map((value) => point.map((old, other) => (other === d ? value : old))),
  );
}
