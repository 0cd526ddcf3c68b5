import { rmSync } from 'node:fs';
import { readRecordFile, writeRecords } from '../results/arrow.js';
import { RecordTable } from '../results/record.js';
import type { DriveProgress, DriveResult, RecentLatency } from './job.js';
import { gatherRows } from './rows.js';

/** Where one of several load processes puts its records until they are merged. */
export function partPath(recordsPath: string, index: number): string {
  return `${recordsPath}.part${index}`;
}

/**
 * The parts as the one file that a single process would have written: warm-up first, then every request in the order of the
 * plan (closed loops: of its due times). The parts are removed. Throws UserError where one can't be read.
 */
export function mergeRecordFiles(recordsPath: string, parts: number): void {
  const files = Array.from({ length: parts }, (_, index) => readRecordFile(partPath(recordsPath, index)));
  const tables = files.map((file) => file.records);
  writeRecords(recordsPath, mergeRecords(tables), files[0]!.metadata);
  removeParts(recordsPath, parts);
}

export function removeParts(recordsPath: string, parts: number): void {
  for (let index = 0; index < parts; index++) rmSync(partPath(recordsPath, index), { force: true });
}

/** All rows of the parts, each in order by itself: warm-up, then by due time, equal times by place in the plan. */
export function mergeRecords(parts: readonly RecordTable[]): RecordTable {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const [part, row] = [new Uint32Array(length), new Uint32Array(length)];
  const next = parts.map(() => 0);
  for (let at = 0; at < length; at++) {
    let first = -1;
    for (let i = 0; i < parts.length; i++)
      if (next[i]! < parts[i]!.length && (first < 0 || comesBefore(parts[i]!, next[i]!, parts[first]!, next[first]!)))
        first = i;
    part[at] = first;
    row[at] = next[first]!++;
  }
  const merged = new RecordTable(length);
  gatherRows(parts, part, row, merged);
  return merged;
}

function comesBefore(a: RecordTable, rowA: number, b: RecordTable, rowB: number): boolean {
  if (a.warmUp[rowA] !== b.warmUp[rowB]) return a.warmUp[rowA] === 1;
  if (a.dueNs[rowA] !== b.dueNs[rowB]) return a.dueNs[rowA]! < b.dueNs[rowB]!;
  return a.sequence[rowA]! < b.sequence[rowB]!;
}

/** One result of several; what they must have in common is taken from the first. Throws where it is not common. */
export function mergeResults(results: readonly DriveResult[]): DriveResult {
  const [first] = results as [DriveResult, ...DriveResult[]];
  const all = <Key extends keyof DriveResult>(key: Key) => results.map((result) => result[key]);
  if (new Set(all('scheduleSha256')).size > 1) throw new Error('the load processes drew different schedules');
  if (new Set(all('samplesSha256')).size > 1) throw new Error('the load processes made different samples');
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    ...first,
    startedAt: [...all('startedAt')].sort()[0]!,
    durationNs: Math.max(...all('durationNs')),
    scheduledNs: Math.max(...all('scheduledNs')),
    offered: sum(all('offered')),
    clockDrift: all('clockDrift').reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)),
    stoppedEarly: all('stoppedEarly').find((reason) => reason !== null) ?? null,
    cpu: {
      userSeconds: sum(results.map(({ cpu }) => cpu.userSeconds)),
      systemSeconds: sum(results.map(({ cpu }) => cpu.systemSeconds)),
    },
    processes: results.length,
  };
}

const PHASES: readonly DriveProgress['phase'][] = ['preparing', 'warming-up', 'measuring', 'draining'];

/**
 * Where several processes stand together: the phase of the last of them, their counts added. The p99 is the highest of
 * theirs: an upper bound, for the display only.
 */
export function mergeProgress(told: readonly DriveProgress[]): DriveProgress {
  const sum = (pick: (one: DriveProgress) => number) => told.reduce((total, one) => total + pick(one), 0);
  const p99s = told.flatMap(({ p99Ns }) => (p99Ns === null ? [] : [p99Ns]));
  return {
    kind: 'progress',
    phase: PHASES[Math.min(...told.map(({ phase }) => PHASES.indexOf(phase)))]!,
    fraction: sum((one) => one.fraction) / told.length,
    issued: sum((one) => one.issued),
    completed: sum((one) => one.completed),
    errors: sum((one) => one.errors),
    ratePerSecond: sum((one) => one.ratePerSecond),
    p99Ns: p99s.length === 0 ? null : Math.max(...p99s),
    recent: slowest(told.flatMap(({ recent }) => recent ?? [])),
    bound: told.every(({ bound }) => bound)
      ? {
          over: sum(({ bound }) => bound!.over),
          sumMs: sum(({ bound }) => bound!.sumMs),
          squaresMs: sum(({ bound }) => bound!.squaresMs),
        }
      : undefined,
  };
}

/** They share one schedule and one server: the slowest stands for all, on the safe side. */
function slowest(recent: readonly RecentLatency[]): RecentLatency | undefined {
  if (recent.length === 0) return undefined;
  const most = (key: keyof RecentLatency) => Math.max(...recent.map((each) => each[key]));
  return { p50Ns: most('p50Ns'), p90Ns: most('p90Ns'), p99Ns: most('p99Ns') };
}
