import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ExternalLoad } from './contract.js';

/** The lines of a file that may be large, empty ones left out. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(path) })) if (line.trim() !== '') yield line;
}

/** The parsed JSON of a file. Throws Error that shows the beginning of what it holds instead. */
export async function jsonOf(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`no JSON: ${text.slice(0, 200)}`);
  }
}

/** Seconds, without an exponent, for a command line. */
export function seconds(ns: number): string {
  return String(Number((ns / 1e9).toFixed(3)));
}

/** Headers as `name: value` texts, each behind the same flag. */
export function headerArgs(flag: string, headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [flag, `${name}: ${value}`]);
}

/** One worker for every request that may be under way at once, and a few more. */
export function workersFor(load: ExternalLoad): number {
  return Math.min(5000, Math.ceil((load.ratePerSecond * load.worstLatencyNs) / 1e9) + 10);
}

/** An RFC 3339 instant with up to nine digits of a second, as ns since `originMs`: a double can't hold ns since 1970. */
export function instantNs(text: string, originMs: number): number {
  const digits = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  const wholeMs = Date.parse(text.replace(/\.\d+/, ''));
  if (Number.isNaN(wholeMs)) throw new Error(`"${text}" is no instant`);
  return (wholeMs - originMs) * 1e6 + Number(digits.padEnd(9, '0'));
}

/** The origin for `instantNs`: the whole second of the first instant of a run. */
export function originOf(text: string): number {
  return Date.parse(text.replace(/\.\d+/, ''));
}
