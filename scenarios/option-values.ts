import { UserError } from '../results/errors.js';
import { type Bounds, outOfBounds, parseDuration, parseFraction, parseRate } from '../results/units.js';

/** Values of command-line options. `place` is the option; everything here throws UserError. */

/** `20s`, `500ms` → nanoseconds. */
export function durationOption(place: string, text: string, bounds: Bounds = { above: '0s' }): number {
  return quantity(place, text, parseDuration, 'duration', 'a number with its unit, like 20s or 500ms', bounds);
}

/** `400/s`, `2k/s` → per second. */
export function rateOption(place: string, text: string): number {
  return quantity(place, text, parseRate, 'rate', 'a number with its unit, like 200/s', { above: '0/s' });
}

/** `1%`, `0.01` → 0.01. */
export function shareOption(place: string, text: string, bounds: Bounds = { most: '100%' }): number {
  return quantity(place, text, parseFraction, 'share', 'like 1% or 0.01', bounds);
}

function quantity(
  place: string,
  text: string,
  parse: (text: string) => number | undefined,
  what: string,
  allowed: string,
  bounds: Bounds,
): number {
  const value = parse(text);
  if (value === undefined) throw new UserError({ place, found: `"${text}" is no ${what}`, allowed });
  const limit = outOfBounds(value, bounds, parse);
  if (limit !== undefined) throw new UserError({ place, found: `"${text}"`, allowed: `${limit}, ${allowed}` });
  return value;
}

/** A 64-bit seed in decimal. */
export function seedOption(place: string, text: string): bigint {
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new UserError({ place, found: `"${text}" is no seed`, allowed: 'a whole number from 0 to 2^64 − 1' });
}

export function wholeNumber(place: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UserError({ place, found: `"${text}" does not do`, allowed: `a whole number from ${least} to ${most}` });
}

/** One of a few words. */
export function wordOption<const Word extends string>(place: string, text: string, allowed: readonly Word[]): Word {
  const found = allowed.find((word) => word === text);
  if (found !== undefined) return found;
  throw new UserError({ place, found: `"${text}" is unknown`, allowed: allowed.join(', ') });
}
