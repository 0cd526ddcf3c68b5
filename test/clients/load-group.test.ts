import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriveJob, DriveProgress } from '../../clients/job.js';
import { forkLoad } from '../../clients/load-handle.js';
import { readRecordFile, readRecords } from '../../results/arrow.js';
import { OUTCOMES } from '../../results/record.js';
import { EchoService } from '../fakes/echo-service.js';
import { type FakeServer, startRest } from '../fakes/v2-servers.js';

const folder = mkdtempSync(join(tmpdir(), 'load-group-'));
let server: FakeServer;
beforeAll(async () => {
  server = await startRest(new EchoService());
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

let files = 0;
function jobOf(type: string, options: Record<string, unknown>): DriveJob {
  return {
    transport: 'rest-binary',
    url: server.url,
    model: 'echo',
    connections: 8,
    timeoutNs: 5e9,
    load: { type, options, preset: 'quick' },
    samples: { name: 'random', count: 16 },
    seeds: { schedule: '1', samples: '2' },
    warmUpNs: 50e6,
    mode: 'performance',
    judge: false,
    recordsPath: join(folder, `records-${files++}.arrow`),
  };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const parts = () => readdirSync(folder).filter((name) => name.includes('.part'));

describe('several load processes', () => {
  test('send together what one sends: the same requests at the same due times, recorded in the order of the plan', async () => {
    const one = jobOf('open', { rate: '300/s', count: 100 });
    const three = { ...one, recordsPath: join(folder, 'three.arrow') };
    const pids: number[] = [];
    const alone = await forkLoad(one);
    const together = await forkLoad(three, { processes: 3, onStart: (pid) => pids.push(pid) });
    expect(new Set(pids).size).toBe(3);
    expect([together.offered, together.processes, together.scheduleSha256]).toEqual([100, 3, alone.scheduleSha256]);
    expect(together.scheduledNs).toBe(alone.scheduledNs);
    const rows = (path: string) => {
      const { records } = readRecordFile(path);
      const first = records.warmUp.indexOf(0);
      const of = <Row>(pick: (row: number) => Row) =>
        Array.from({ length: records.length - first }, (_, i) => pick(first + i));
      expect([...records.sequence]).toEqual(Array.from(records.sequence, (_, i) => i));
      for (const late of of((row) => records.issuedNs[row]! - records.dueNs[row]!)) expect(late).toBeGreaterThan(-1000);
      expect(new Set(of((row) => OUTCOMES[records.outcome[row]!]))).toEqual(new Set(['ok']));
      return of((row) => [records.dueNs[row], records.sampleIndex[row], records.query[row]]);
    };
    expect(rows(three.recordsPath)).toEqual(rows(one.recordsPath));
    expect(readRecordFile(three.recordsPath).metadata).toEqual(readRecordFile(one.recordsPath).metadata);
    expect(parts()).toEqual([]);
  });

  test('have one t = 0: the first requests of all leave within milliseconds, whoever was ready first', async () => {
    const job = jobOf('offline', { minSamples: 64, concurrency: 8 });
    await forkLoad(job, { processes: 2 });
    const records = readRecords(job.recordsPath);
    const first = records.warmUp.indexOf(0);
    for (const share of [0, 1]) expect(records.issuedNs[first + share]!).toBeGreaterThanOrEqual(0);
    // Each process's first request: on a busy machine one may be late, but not by its start-up (hundreds of ms).
    expect(Math.abs(records.issuedNs[first]! - records.issuedNs[first + 1]!)).toBeLessThan(100e6);
  });

  test('a closed loop of 3 over 2 processes takes the first 60 of its sequence, and tells one progress', async () => {
    const job = jobOf('closed', { concurrency: 3, maxRequests: 60, duration: '5s' });
    const progress: DriveProgress[] = [];
    const result = await forkLoad(job, { processes: 2, onProgress: (each) => progress.push(each) });
    const alone = jobOf('closed', { concurrency: 3, maxRequests: 60, duration: '5s' });
    await forkLoad(alone);
    const samples = (path: string) => {
      const records = readRecords(path);
      return [...records.sampleIndex.subarray(records.warmUp.indexOf(0))].sort((a, b) => a - b);
    };
    expect(result.offered).toBe(60);
    expect(samples(job.recordsPath)).toEqual(samples(alone.recordsPath));
    expect(progress.map(({ phase }) => phase)).toContain('measuring');
    expect(progress.at(-1)!.completed).toBeLessThanOrEqual(60);
  });

  test('one that dies fails the load with its number, and the others end', async () => {
    const job = jobOf('open', { rate: '50/s', duration: '30s' });
    const pids: number[] = [];
    let killed = false;
    const load = forkLoad(job, {
      processes: 3,
      onStart: (pid) => pids.push(pid),
      onProgress({ phase }) {
        if (phase !== 'measuring' || killed) return;
        killed = true;
        process.kill(pids[1]!, 'SIGKILL');
      },
    });
    await expect(load).rejects.toThrow('load process 2 of 3 was killed by SIGKILL before it told its result');
    expect(pids.filter(isAlive)).toEqual([]);
    expect(parts()).toEqual([]);
    expect(existsSync(job.recordsPath)).toBe(false);
  });

  test('an abort ends them all, and the records hold what was due by then', async () => {
    const aborter = new AbortController();
    const job = jobOf('open', { rate: '200/s', duration: '30s' });
    const result = await forkLoad(job, {
      processes: 2,
      signal: aborter.signal,
      onProgress: ({ phase, issued }) => phase === 'measuring' && issued > 20 && aborter.abort(),
    });
    expect(result.stoppedEarly).toBe('interrupted');
    const records = readRecords(job.recordsPath);
    expect(records.warmUp.filter((mark) => mark === 0).length).toBe(result.offered);
    expect(result.offered).toBeGreaterThan(20);
    expect(result.offered).toBeLessThan(6000);
  });

  test('a job that is at fault is told once, as a UserError', async () => {
    await expect(forkLoad(jobOf('open', { rate: 'fast' }), { processes: 2 })).rejects.toThrow(
      /^load\.rate: "fast" must be a rate[^\n]*$/,
    );
    await expect(forkLoad(jobOf('single-stream', {}), { processes: 2 })).rejects.toThrow(
      /load processes: 2 for a load/,
    );
  });

  test('in-process there is but one process', async () => {
    const host = { program: new URL('file:///nowhere.js'), spec: {} };
    await expect(forkLoad(jobOf('closed', {}), { processes: 2, host })).rejects.toThrow(
      /transport in-process: more than one load process/,
    );
  });
});
