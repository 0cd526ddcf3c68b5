/** Milliseconds of each of gRPC's units. Source: gRPC over HTTP2, "Timeout". */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Longer is as good as for ever, and what a timer can hold. */
const LONGEST_MS = 2 ** 31 - 1;

/** `grpc-timeout` in whole milliseconds, at least 1; undefined where there is none or it cannot be read. */
export function timeoutMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.min(LONGEST_MS, Math.max(1, Math.ceil(Number(digits) * UNITS[unit]!)));
}
