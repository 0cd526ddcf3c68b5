import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DriveJob, DriveResult } from '../../clients/job.js';
import { forkLoad } from '../../clients/load-handle.js';
import { readRecords } from '../../results/arrow.js';
import { forkServer, type ServerHandle } from '../../servers/server-handle.js';
import { type BenchOptions, type Figure, figureOf } from './figure.js';

const RATE = 2000;
const DURATION = '3s';

/**
 * How late a load process of its own sends Poisson arrivals at 2,000/s over rest-binary, records and all, and how much of a
 * core it takes for that. The server, which executes nothing, is a process beside it.
 */
export async function run({ rounds }: BenchOptions): Promise<readonly Figure[]> {
  const server = await forkServer({
    name: 'bench',
    model: { runtime: 'null' },
    strategy: { name: 'serial' },
    frontends: { rest: { port: 0 } },
  });
  const folder = mkdtempSync(join(tmpdir(), 'servemark-bench-'));
  const found: { p50: number; p99: number; cores: number }[] = [];
  for (let round = 0; round < rounds; round++) found.push(await trial(server, join(folder, 'records.arrow')));
  await server.stop();
  rmSync(folder, { recursive: true });
  return [
    figureOf('lateness at 2,000/s: p50', 'µs', values('p50')),
    figureOf('lateness at 2,000/s: p99', 'µs', values('p99'), { target: 320 }),
    figureOf('load process at 2,000/s', '% of a core', values('cores'), { target: 25 }),
  ];

  function values(key: 'p50' | 'p99' | 'cores'): number[] {
    return found.map((each) => each[key]);
  }
}

async function trial(server: ServerHandle, recordsPath: string): Promise<{ p50: number; p99: number; cores: number }> {
  const job: DriveJob = {
    transport: 'rest-binary',
    url: server.addresses.rest!,
    model: server.metadata.name,
    connections: 64,
    timeoutNs: 10e9,
    load: { type: 'open', options: { rate: RATE, arrivals: 'poisson', duration: DURATION }, preset: 'quick' },
    samples: { name: 'random', count: 16 },
    seeds: { schedule: '1', samples: '2' },
    warmUpNs: 500e6,
    mode: 'performance',
    judge: false,
    recordsPath,
  };
  const drive = await forkLoad(job);
  const late = latenessOf(recordsPath);
  return {
    p50: late[Math.floor(late.length * 0.5)]!,
    p99: late[Math.floor(late.length * 0.99)]!,
    cores: coresOf(drive),
  };
}

/** Sorted, in µs, of what was measured. */
function latenessOf(recordsPath: string): Float64Array {
  const records = readRecords(recordsPath);
  const { length, dueNs, issuedNs, warmUp } = records;
  return Float64Array.from({ length }, (_, i) => (issuedNs[i]! - dueNs[i]!) / 1e3)
    .filter((_, i) => warmUp[i] === 0)
    .sort();
}

function coresOf({ cpu, durationNs }: DriveResult): number {
  return ((cpu.userSeconds + cpu.systemSeconds) / (durationNs / 1e9)) * 100;
}
