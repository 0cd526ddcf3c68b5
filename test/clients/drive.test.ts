import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compareOutputs } from '../../clients/agreement.js';
import { createArrival } from '../../clients/arrivals/index.js';
import { drive } from '../../clients/drive.js';
import type { DriveJob, DriveProgress } from '../../clients/job.js';
import { forkLoad } from '../../clients/load-handle.js';
import { samplesNamed } from '../../clients/samples/index.js';
import { createTransport } from '../../clients/transports/index.js';
import { readRecords } from '../../results/arrow.js';
import { OUTCOMES } from '../../results/record.js';
import { ECHO_METADATA, EchoService } from '../fakes/echo-service.js';
import { type FakeServer, startGrpc, startRest } from '../fakes/v2-servers.js';

const folder = mkdtempSync(join(tmpdir(), 'drive-'));
const service = new EchoService();
let server: FakeServer;
let grpcServer: FakeServer;
beforeAll(async () => {
  server = await startRest(service);
  grpcServer = await startGrpc(service);
});
afterAll(async () => {
  await server.close();
  await grpcServer.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  service.received = [];
});

let files = 0;
function jobOf(load: DriveJob['load'], more: Partial<DriveJob> = {}): DriveJob {
  return {
    transport: 'rest-binary',
    url: server.url,
    model: 'echo',
    connections: 8,
    timeoutNs: 5e9,
    load,
    samples: { name: 'random', count: 16 },
    seeds: { schedule: '16159082839903944936', samples: '2747215439041700203' },
    warmUpNs: 0,
    mode: 'performance',
    judge: false,
    recordsPath: join(folder, `records-${files++}.arrow`),
    ...more,
  };
}

const open = (options: Record<string, unknown>): DriveJob['load'] => ({ type: 'open', options, preset: 'quick' });
const closed = (options: Record<string, unknown>): DriveJob['load'] => ({ type: 'closed', options, preset: 'quick' });

async function driveIn(job: DriveJob, signal?: AbortSignal) {
  const transport = createTransport(job.transport, job.transport === 'in-process' ? { ...job, service } : job);
  const samples = await samplesNamed('random').create({ metadata: ECHO_METADATA, seed: 5n, count: 16 });
  const progress: DriveProgress[] = [];
  try {
    const result = await drive(job, transport, samples, (each) => progress.push(each), signal);
    return { result, progress, table: readRecords(job.recordsPath) };
  } finally {
    await transport.close();
  }
}

const outcomes = (table: { outcome: Uint8Array; length: number }) =>
  [...table.outcome.subarray(0, table.length)].map((number) => OUTCOMES[number]);

describe('drive', () => {
  test('50 requests at 100/s fill 50 rows in order, due as LoadGen draws them, each later than it was due', async () => {
    const { result, table } = await driveIn(jobOf(open({ rate: '100/s', count: 50 })));
    expect([result.offered, table.length, result.arrivals, result.stoppedEarly]).toEqual([50, 50, 'poisson', null]);
    expect([...table.dueNs.slice(0, 3)]).toEqual([0, 18436540, 23015776]);
    expect(outcomes(table)).toEqual(new Array(50).fill('ok'));
    for (let row = 0; row < 50; row++) {
      expect(table.issuedNs[row]).toBeGreaterThanOrEqual(table.dueNs[row]!);
      expect(table.completedNs[row]).toBeGreaterThan(table.issuedNs[row]!);
      expect(table.computeInferNs[row]).toBe(4000);
    }
    expect(Math.abs(result.clockDrift)).toBeLessThan(0.05);
    expect(result.cpu.userSeconds).toBeGreaterThan(0);
  });

  test('the same seeds give the same schedule hash and samples, on every transport', async () => {
    const options = { rate: '500/s', count: 40 };
    const rest = await driveIn(jobOf(open(options)));
    const grpc = await driveIn(jobOf(open(options), { transport: 'grpc', url: grpcServer.url }));
    const direct = await driveIn(jobOf(open(options), { transport: 'in-process' }));
    expect(grpc.result.scheduleSha256).toBe(rest.result.scheduleSha256);
    expect([...direct.table.sampleIndex]).toEqual([...rest.table.sampleIndex]);
  });

  test('warm-up is recorded, marked, and before t = 0', async () => {
    const { result, table } = await driveIn(jobOf(closed({ maxRequests: 20, duration: '5s' }), { warmUpNs: 50e6 }));
    const warm = [...table.warmUp.subarray(0, table.length)].filter((mark) => mark === 1).length;
    expect(warm).toBeGreaterThan(0);
    expect([result.offered, table.length - warm]).toEqual([20, 20]);
    for (let row = 0; row < warm; row++) expect(table.completedNs[row]).toBeLessThan(0);
    expect(table.dueNs[warm]).toBeGreaterThanOrEqual(0);
    expect(table.issuedNs[warm]! - table.dueNs[warm]!).toBeGreaterThanOrEqual(0);
    expect([...table.sequence.subarray(0, table.length)]).toEqual(Array.from({ length: table.length }, (_, i) => i));
  });

  test('a warm-up goes on until 2,500 requests were answered, for four times its length more at most', async () => {
    const warmed = async (warmUpNs: number, transport: 'in-process' | 'rest') => {
      const { table } = await driveIn(jobOf(closed({ maxRequests: 20, duration: '5s' }), { warmUpNs, transport }));
      const rows = table.warmUp.indexOf(0);
      return { rows, lastNs: table.issuedNs[rows - 1]! - table.issuedNs[0]! };
    };
    const short = await warmed(20e6, 'rest');
    expect(short.rows >= 2500 || short.lastNs > 80e6).toBe(true);
    const fast = await warmed(300e6, 'in-process');
    expect(fast.rows >= 2500 || fast.lastNs > 1200e6).toBe(true);
  });

  test('before an open load the second half of the warm-up is open too, all before t = 0, and takes nothing from the load', async () => {
    const job = (warmUpNs: number) => jobOf(open({ rate: '200/s', count: 40 }), { warmUpNs });
    const { table } = await driveIn(job(200e6));
    const warm = table.warmUp.indexOf(0);
    expect([table.length - warm, table.warmUp.lastIndexOf(1)]).toEqual([40, warm - 1]);
    const due = table.dueNs.subarray(0, warm);
    expect(Math.max(...due)).toBeLessThan(0);
    // The rehearsal's gaps are those of its seed, at whatever pace: one ratio fits all of them to its end.
    const gap = createArrival('poisson', {}, 1000, 1n);
    const drawn = Array.from({ length: warm }, gap);
    const isRehearsal = (first: number) => {
      const ratios = [...due.subarray(first + 1)].map((at, i) => (at - due[first + i]!) / drawn[i + 1]!);
      return ratios.every((ratio) => Math.abs(ratio / ratios[0]! - 1) < 0.01);
    };
    const first = Array.from({ length: warm - 20 }, (_, at) => at).find(isRehearsal);
    expect(first).toBeGreaterThan(10);
    expect([...table.dueNs.subarray(warm, table.length)]).toEqual([
      ...(await driveIn(job(0))).table.dueNs.slice(0, 40),
    ]);
  });

  test('an abort ends the sending; the records hold what was due by then', async () => {
    const aborter = new AbortController();
    const timer = setInterval(() => service.received.length > 10 && aborter.abort(), 20);
    const job = jobOf(open({ rate: '200/s', duration: '30s' }));
    const { result, table } = await driveIn(job, aborter.signal);
    clearInterval(timer);
    expect(result.stoppedEarly).toBe('interrupted');
    expect(result.offered).toBe(table.length);
    expect(table.length).toBeGreaterThan(0);
    expect(table.length).toBeLessThan(6000);
  });

  test('offline sends all samples of one query, at most 4 at a time', async () => {
    const load: DriveJob['load'] = { type: 'offline', options: { minSamples: 100, concurrency: 4 }, preset: 'quick' };
    const { result, table } = await driveIn(jobOf(load));
    expect([result.offered, result.scheduledNs]).toEqual([100, 0]);
    expect(new Set(table.query.subarray(0, 100)).size).toBe(1);
  });

  test('the schedule is written as the float64 nanoseconds that were due', async () => {
    const schedulePath = join(folder, 'schedule.f64');
    const { table } = await driveIn(jobOf(open({ rate: '1000/s', count: 10 }), { schedulePath }));
    const bytes = readFileSync(schedulePath);
    expect([...new Float64Array(Uint8Array.from(bytes).buffer)]).toEqual([...table.dueNs.subarray(0, 10)]);
  });

  test('progress begins with preparing and ends complete', async () => {
    const { progress } = await driveIn(jobOf(closed({ maxRequests: 5, duration: '5s' })));
    expect(progress[0]?.phase).toBe('preparing');
    expect([progress.at(-1)?.phase, progress.at(-1)?.completed]).toEqual(['draining', 5]);
  });
});

describe('accuracy', () => {
  /** The echo answers with its input: its class is where the largest input is. */
  const labelled = async () => {
    const samples = await samplesNamed('random').create({ metadata: ECHO_METADATA, seed: 5n, count: 16 });
    const argmax = (index: number) => {
      const values = [...new Float32Array(Uint8Array.from(samples.inputs(index)[0]!.data).buffer)];
      return values.indexOf(Math.max(...values));
    };
    return { ...samples, label: (index: number) => (index === 3 ? -1 : argmax(index)) };
  };

  test('each sample is sent once; with one wrong label of 16, 15 are right', async () => {
    const job = jobOf(closed({}), { mode: 'accuracy', outputsPath: join(folder, 'a.f32') });
    const transport = createTransport(job.transport, job);
    await drive(job, transport, await labelled());
    await transport.close();
    const table = readRecords(job.recordsPath);
    expect([...table.sampleIndex].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect([...table.correct].filter((mark) => mark === 1)).toHaveLength(15);
    expect(table.correct[table.sampleIndex.indexOf(3)]).toBe(0);
    const same = await compareOutputs(join(folder, 'a.f32'), join(folder, 'a.f32'), 16);
    expect(same).toEqual({ samples: 16, maxAbsoluteDifference: 0, top1: 1 });
    expect(readFileSync(join(folder, 'a.f32')).length).toBe(16 * 4 * 4);
  });

  test('without labels it is refused', async () => {
    await expect(driveIn(jobOf(closed({}), { mode: 'accuracy' }))).rejects.toThrow(/have no labels/);
  });
});

describe('load process', () => {
  test('it drives a server by itself and tells the result', async () => {
    const job = jobOf(closed({ concurrency: 2, maxRequests: 30, duration: '5s' }));
    const progress: DriveProgress[] = [];
    const result = await forkLoad(job, { onProgress: (each) => progress.push(each) });
    expect(result.offered).toBe(30);
    expect(progress.length).toBeGreaterThan(0);
    expect(readRecords(job.recordsPath).length).toBe(30);
  });

  test('an abort ends it cleanly with what there is', async () => {
    const aborter = new AbortController();
    const job = jobOf(open({ rate: '100/s', duration: '30s' }));
    const result = await forkLoad(job, {
      signal: aborter.signal,
      onProgress: ({ phase }) => phase === 'measuring' && aborter.abort(),
    });
    expect(result.stoppedEarly).toBe('interrupted');
  });

  test('a job that is at fault is a UserError; a process that is killed says how', async () => {
    await expect(forkLoad(jobOf(open({ rate: 'fast' })))).rejects.toThrow(/load.rate: "fast" must be a rate/);
    const job = jobOf(open({ rate: '100/s', duration: '30s' }));
    await expect(forkLoad(job, { onStart: (pid) => process.kill(pid, 'SIGKILL') })).rejects.toThrow(
      /was killed by SIGKILL before it told its result/,
    );
  });
});
