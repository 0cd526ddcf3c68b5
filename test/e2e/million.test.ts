import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRecords } from '../../results/arrow.js';
import { OUTCOMES } from '../../results/record.js';
import { finish, servemark, start } from './cli.js';
import { onlyRun, scenarioFile, trialFiles, workFolder } from './folders.js';
import { descendants, HAS_PROC } from './processes.js';

const SLOW = process.env.SERVEMARK_SLOW === '1';
const COUNT = Number(process.env.SERVEMARK_REQUESTS ?? 1_000_000);
const TRANSPORTS = (process.env.SERVEMARK_TRANSPORTS ?? 'rest-binary,rest,rest-undici,grpc,grpc-js').split(',');
if (!SLOW)
  console.log(
    'skipped: a million requests through each transport (SERVEMARK_SLOW=1 runs it; SERVEMARK_REQUESTS and SERVEMARK_TRANSPORTS choose)',
  );

/** Growth that counts as flat: the collector's play, and pages of the records that are first written to. */
const FLAT_MIB = 96;

test.skipIf(!SLOW || !HAS_PROC).each(TRANSPORTS)(
  'through %s nothing is lost or doubled, memory stays flat, and the time to the report is told',
  async (transport) => {
    const folder = workFolder(`million-${transport}`);
    const scenario = scenarioFile(
      folder,
      'million',
      `schema: 1
question: Does anything get lost among ${COUNT} requests?
model: { runtime: "null" }
systems: { harness: { strategy: serial } }
loads: { many: { type: closed, concurrency: 32, duration: 2h, maxRequests: ${COUNT} } }
transports: [${transport}]
repeats: 1
`,
    );
    const runs = join(folder, 'runs');
    const child = start(['run', scenario, '--out', runs], { cwd: folder });
    const memory = new Memory(child.pid!);
    const began = Date.now();
    const { code, stderr } = await finish(child);
    memory.stop();
    expect(code, stderr).toBe(0);

    const run = onlyRun(runs)!;
    const [id] = Object.keys(trialFiles(run));
    const trial = join(run, 'trials', id!);
    const records = readRecords(join(trial, 'records.arrow'));
    const measured = Array.from({ length: records.length }, (_, i) => i).filter((i) => records.warmUp[i] === 0);
    expect(measured).toHaveLength(COUNT);
    expect(measured.every((i) => OUTCOMES[records.outcome[i]!] === 'ok')).toBe(true);
    expect(new Set(measured.map((i) => records.sequence[i])).size).toBe(COUNT);
    // The server numbers its executions, of one request each: every number came back once, so none was answered twice.
    expect(new Set(measured.map((i) => records.executionId[i])).size).toBe(COUNT);
    const numbers = measured.map((i) => records.executionId[i]!);
    let [first, last] = [Number.POSITIVE_INFINITY, 0];
    for (const number of numbers) [first, last] = [Math.min(first, number), Math.max(last, number)];
    expect(last - first + 1).toBe(COUNT);

    const reporting = Date.now();
    const report = await servemark(['report', run]);
    const reportSeconds = (Date.now() - reporting) / 1000;
    expect(report.code, report.stderr).toBe(0);
    const growth = memory.growthMiB();
    console.log(
      `${transport}: ${COUNT} requests in ${((reporting - began) / 1000).toFixed(0)} s; report in ${reportSeconds.toFixed(1)} s; RSS of the second half against the first: ${[...growth].map(([name, mib]) => `${name} ${mib.toFixed(0)} MiB`).join(', ')}`,
    );
    for (const [name, mib] of growth) expect(mib, name).toBeLessThan(FLAT_MIB);
    expect(readFileSync(join(run, 'report.md'), 'utf8')).toContain('many');
  },
  3_600_000,
);

/** RSS of the server and load processes below one, looked at every second. */
class Memory {
  private readonly series = new Map<string, number[]>();
  private readonly timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.timer = setInterval(() => {
      for (const { pid: child, command } of descendants(pid)) {
        const name = /(server|load)-process/.exec(command)?.[0];
        const bytes = name && rssBytes(child);
        if (bytes) this.series.set(name, [...(this.series.get(name) ?? []), bytes]);
      }
    }, 1000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Median of the last quarter less that of the second; the first is start-up, and the very end the writing of the records. */
  growthMiB(): Map<string, number> {
    return new Map(
      [...this.series].map(([name, all]) => {
        const kept = all.slice(0, Math.max(1, Math.floor(all.length * 0.9)));
        const quarter = (from: number) =>
          median(kept.slice(Math.floor((kept.length * from) / 4), Math.ceil((kept.length * (from + 1)) / 4)));
        return [name, (quarter(3) - quarter(1)) / 2 ** 20];
      }),
    );
  }
}

function rssBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return undefined;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
