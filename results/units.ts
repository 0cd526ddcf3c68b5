import { z } from 'zod';

/** Nanoseconds in each unit that a duration may carry. */
const NS = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 60e9, m: 60e9, h: 3600e9 } as const;
const BYTES = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** `20ms`, `1.5s`, `250us` → integer nanoseconds; undefined where it is no duration. */
export function parseDuration(text: string): number | undefined {
  return withUnit(text, NS);
}

/** `400/s`, `2k/s`, `30/min` → per second; undefined where it is no rate. */
export function parseRate(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(k?)\s*\/\s*(s|min|h)\s*$/.exec(text);
  if (!match) return undefined;
  const per = match[3] === 's' ? 1 : match[3] === 'min' ? 60 : 3600;
  return (Number(match[1]) * (match[2] ? 1000 : 1)) / per;
}

/** `0.1%` or `0.001` → fraction; undefined where it is neither. */
export function parseFraction(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text);
  return match ? Number(match[1]) / (match[2] ? 100 : 1) : undefined;
}

/** Three significant digits with the unit that suits: `850 ns`, `1.25 ms`, `12.5 s`. */
export function formatDuration(ns: number): string {
  const size = Math.abs(ns);
  if (size < 1e3) return `${significant(ns)} ns`;
  if (size < 1e6) return `${significant(ns / 1e3)} µs`;
  if (size < 1e9) return `${significant(ns / 1e6)} ms`;
  return `${significant(ns / 1e9)} s`;
}

/** `1,234/s`, `12.3/s`. */
export function formatRate(perSecond: number): string {
  return `${significant(perSecond)}/s`;
}

/** `7.3 MiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const)
    if (Math.abs(bytes) >= BYTES[unit]) return `${significant(bytes / BYTES[unit])} ${unit}`;
  return `${bytes} B`;
}

/** Three significant digits, thousands separated, never in exponent form. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size === 0) return '0';
  return value.toFixed(Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size)))));
}

/** Option schema of a duration: integer nanoseconds, or a text with a unit. Output: nanoseconds. */
export const duration = (bounds?: Bounds) =>
  quantity('a duration with its unit, like 20ms, 1.5s or 250us (a bare number is nanoseconds)', parseDuration, bounds);
/** Option schema of a rate, `400/s`. Output: per second. */
export const rate = (bounds?: Bounds) =>
  quantity('a rate with its unit, like 400/s (a bare number is per second)', parseRate, bounds);
/** Option schema of a fraction, `0.1%` or `0.001`. */
export const fraction = (bounds?: Bounds) =>
  quantity('a percentage like 0.1% or a fraction like 0.001', parseFraction, bounds);
/** Option schema of an amount of memory, `64MiB`. Output: bytes. */
export const size = () =>
  quantity('an amount of memory with its unit, like 64MiB (a bare number is bytes)', (text) => withUnit(text, BYTES));

/** Limits of a quantity as a user writes them (`24h`): told together with what was found. */
export interface Bounds {
  readonly above?: string;
  readonly least?: string;
  readonly most?: string;
}

/** The bound that a value is beyond, in words; undefined where it is within all. `parse` reads the bounds. */
export function outOfBounds(
  value: number,
  { above, least, most }: Bounds,
  parse: (text: string) => number | undefined,
): string | undefined {
  if (above !== undefined && value <= parse(above)!) return `above ${above}`;
  if (least !== undefined && value < parse(least)!) return `at least ${least}`;
  if (most !== undefined && value > parse(most)!) return `at most ${most}`;
  return undefined;
}

function quantity(allowed: string, parse: (text: string) => number | undefined, bounds: Bounds = {}) {
  return z
    .union([z.number().nonnegative(), z.string()], { error: `must be ${allowed}` })
    .transform((value, context) => {
      const parsed = typeof value === 'number' ? value : parse(value);
      const limit = parsed === undefined ? allowed : outOfBounds(parsed, bounds, parse);
      if (limit === undefined) return parsed!;
      context.issues.push({ code: 'custom', message: `must be ${limit}`, input: value });
      return z.NEVER;
    });
}

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Zµ]+)\s*$/.exec(text);
  const factor = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined;
  return match && factor !== undefined ? Math.round(Number(match[1]) * factor) : undefined;
}
